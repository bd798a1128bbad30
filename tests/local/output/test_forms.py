"""What a column makes of a value: of a good one what the docker command line shows, of any other something harmless."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest

from lib.local.output.forms import FORMS, LONGEST, formatted
from lib.metadata.columns import load
from lib.metadata.words import FOLDER

DAY = 86400
HUGE = 10**5000
"""A number of more digits than Python writes as a text."""
JUNK: dict[str, Any] = {
    "null": None,
    "true": True,
    "minus": -(10**30),
    "giant": HUGE,
    "nan": math.nan,
    "infinite": math.inf,
    "text": "\x1b[2J\x00",
    "long": "x" * 5000,
    "list": [1, None, {"a": []}, [[]], HUGE, "y" * 5000] * 50,
    "texts": ["a\nb"] * 500,
    "object": {"IP": 3, "PublicPort": "x", "": {"deep": [1] * 500}},
    "ports": [{"IP": ["x"], "PrivatePort": -1}, {"PublicPort": True, "PrivatePort": HUGE}],
    "year": "9999-99-99T00:00:00Z",
    "early": "0001-01-01T00:00:00Z",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", JUNK)
def test_any_value_has_a_bounded_text_in_any_form(form: str, name: str) -> None:
    shown = formatted(form, JUNK[name])

    assert isinstance(shown, str)
    assert len(shown) <= LONGEST


def test_a_form_that_is_not_known_shows_the_value_as_a_text() -> None:
    assert formatted("nosuch", ["a", "b"]) == "a, b"


def test_deep_nesting_is_no_harm() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    assert formatted("text", [{"a": deep}]) == "?"


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (45, "45 seconds ago"),
        (100, "About a minute ago"),
        (5 * 60 + 30, "5 minutes ago"),
        (3600 + 900, "About an hour ago"),
        (30 * 3600, "30 hours ago"),
        (3 * DAY, "3 days ago"),
        (21 * DAY + 60, "3 weeks ago"),
        (100 * DAY, "3 months ago"),
        (800 * DAY, "2 years ago"),
        (-7300 - 3600, "in 3 hours"),
    ],
)
def test_an_age_is_said_as_docker_says_it(monkeypatch: pytest.MonkeyPatch, ago: int, said: str) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)

    assert formatted("age", 1_700_000_000 - ago) == said


def test_an_age_may_be_a_text_and_nothing_is_said_of_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)

    assert formatted("age", "2023-11-14T20:13:20.123456789Z") == "About an hour ago"
    assert formatted("age", "2023-11-14T10:13:20+02:00") == "14 hours ago"
    assert formatted("age", 0) == formatted("age", "0001-01-01T00:00:00Z") == ""
    assert formatted("age", "long ago") == "long ago"


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0B"),
        (999, "999B"),
        (999.6, "1kB"),
        (1234567, "1.23MB"),
        (123456, "123kB"),
        (-1, "N/A"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_a_size_has_three_digits_and_a_decimal_unit(size: float, said: str) -> None:
    assert formatted("size", size) == said


def test_ports_are_those_of_docker_ps() -> None:
    def port(inner: int, outer: int = 0, address: str = "") -> dict[str, Any]:
        return {"PrivatePort": inner, "Type": "tcp"} | ({"PublicPort": outer, "IP": address} if outer else {})

    assert formatted("ports", [port(80, 8080, "0.0.0.0"), port(80, 8080, "::")]) == (
        "0.0.0.0:8080->80/tcp, :::8080->80/tcp"
    )
    assert formatted("ports", [port(81, 8001, "::"), port(80, 8000, "::")]) == ":::8000-8001->80-81/tcp"
    assert formatted("ports", [port(443), port(80), port(444)]) == "80/tcp, 443-444/tcp"
    assert (
        formatted("ports", [{"PublishedPort": 80, "TargetPort": 8080, "Protocol": "tcp"}]) == "*:80->8080/tcp"
    )
    assert (
        formatted("ports", [{"hostIp": "::1", "hostPort": 1, "port": 2, "protocol": "udp"}]) == "::1:1->2/udp"
    )


def test_a_time_is_written_to_the_second() -> None:
    assert formatted("time", "2023-11-14T20:13:20.123456789Z") == "2023-11-14 20:13:20"
    assert formatted("time", 1_700_000_000) == "2023-11-14 22:13:20"
    assert formatted("time", "some day") == "some day"
    assert formatted("time", 10**17) == "100000000000000000"


def test_ids_names_references_and_labels_are_short() -> None:
    assert formatted("shortId", "sha256:" + "ab" * 32) == "ab" * 6
    assert formatted("names", ["/web", "/db/web"]) == "web, db/web"
    assert formatted("reference", "redis:7@sha256:" + "0" * 64) == "redis:7"
    assert formatted("reference", "sha256:" + "0" * 64) == "0" * 12
    assert formatted("labels", {"team": "shop", "flag": ""}) == "team=shop, flag"
    assert formatted("keys", {"Replicated": {}}) == "Replicated"
    assert formatted("count", [1, 2]) == "2"


def test_every_form_of_the_words_is_known() -> None:
    columns = load(FOLDER)
    used = {
        column.get("form", "text") for lists in columns.values() for one in lists.values() for column in one
    }

    assert used <= set(FORMS)
    assert json.dumps(columns)
