"""SearchLogs: lines that match in the logs of many containers, on real engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actions.stepping import forget_engines, run_step
from tests.engine.scripted import Scripted, answer, say
from tests.jobs.engines import config, own
from tests.jobs.finding import done, failed
from tests.lab.engine import LabEngine

__all__ = ["own"]
SHOP = {"labels": ["app=shop"]}
HOUR_AGO, HOUR_AHEAD = "1h", "2100-01-01"


@pytest.fixture(scope="module")
def street(own: LabEngine) -> LabEngine:
    """Three logs that were written one after the other, and one that cannot be read."""
    shop = {"app": "shop"}
    own.wait(
        own.run(("sh", "-c", "echo one; echo ERROR first; echo two; echo three"), name="app-a", Labels=shop)
    )
    own.wait(own.run(("sh", "-c", "echo four >&2; echo error second >&2"), name="app-b", Labels=shop))
    own.wait(own.run(("sh", "-c", "for n in 1 2 3 4 5; do echo ERROR $n; done"), name="app-c", Labels=shop))
    mute = {"HostConfig": {"LogConfig": {"Type": "none"}}}
    own.wait(own.run(("echo", "ERROR unheard"), name="mute", Labels=shop, **mute))
    own.wait(own.run(("echo", "ERROR elsewhere"), name="other"))
    return own


def search(engine: LabEngine, pattern: str, **body: Any) -> Any:
    settings = {name: body.pop(name) for name in ("maxBytes", "maxSeconds", "accessMode") if name in body}
    if "target" not in body:
        body.setdefault("targets", SHOP)
    return done(run_step("SearchLogs", {"pattern": pattern, **body}, config(engine, **settings)))


def texts(answer: Any) -> list[str]:
    return [f"{one['container']}: {one['text']}" for one in answer["results"]]


@pytest.mark.shows("SearchLogs", "succeeds")
def test_matches_of_all_logs_in_the_order_of_time(street: LabEngine) -> None:
    found = search(street, "ERROR [a-z1]")
    assert texts(found) == ["app-a: ERROR first", "app-c: ERROR 1"]
    assert [one["time"] for one in found["results"]] == sorted(one["time"] for one in found["results"])
    assert found["matches"] == 2
    counts = {one["name"]: (one["lines"], one["matches"]) for one in found["perContainer"]}
    assert counts == {"app-a": (4, 1), "app-b": (2, 0), "app-c": (5, 1)}
    assert "truncated" not in found


def test_trap_21_a_log_that_cannot_be_read_is_told(street: LabEngine) -> None:
    (skipped,) = search(street, "ERROR")["skipped"]
    assert skipped["name"] == "mute"
    assert "does not support reading" in skipped["reason"]


def test_one_container_case_and_stream(street: LabEngine) -> None:
    assert texts(search(street, "error", target="app-b")) == ["app-b: error second"]
    assert texts(search(street, "error (f|s)", ignoreCase=True)) == [
        "app-a: ERROR first",
        "app-b: error second",
    ]
    assert texts(search(street, "error (f|s)", ignoreCase=True, stream="stderr")) == ["app-b: error second"]
    assert texts(search(street, "error (f|s)", ignoreCase=True, stream="stdout")) == ["app-a: ERROR first"]
    assert [one["stream"] for one in search(street, "four")["results"]] == ["stderr"]


def test_lines_around_a_match(street: LabEngine) -> None:
    (first,) = search(street, "first", before=2, after=1)["results"]
    assert (first["before"], first["after"]) == (["one"], ["two"])
    third, fourth = search(street, "ERROR [34]", target="app-c", before=1, after=2)["results"]
    assert (third["before"], third["after"]) == (["ERROR 2"], ["ERROR 4", "ERROR 5"])
    assert (fourth["before"], fourth["after"]) == (["ERROR 3"], ["ERROR 5"])


def test_times(street: LabEngine) -> None:
    assert search(street, "ERROR", since=HOUR_AGO)["matches"] == 6
    assert search(street, "ERROR", since=HOUR_AHEAD)["matches"] == 0
    assert search(street, "ERROR", until=HOUR_AGO)["matches"] == 0
    (second,) = search(street, "second", target="app-b")["results"]
    assert texts(search(street, "ERROR|second", until=second["time"])) == [
        "app-a: ERROR first",
        "app-b: error second",
    ]


def test_of_more_matches_the_newest_are_kept(street: LabEngine) -> None:
    found = search(street, "ERROR", maxMatches=2)
    assert (texts(found), found["matches"], found["truncated"]) == (
        ["app-c: ERROR 4", "app-c: ERROR 5"],
        6,
        "maxMatches",
    )
    found = search(street, "ERROR", maxBytes="15")
    assert (texts(found), found["matches"], found["truncated"]) == (
        ["app-c: ERROR 4", "app-c: ERROR 5"],
        6,
        "maxBytes",
    )


def test_a_log_of_many_matches_is_cut_while_it_is_read(street: LabEngine) -> None:
    street.wait(street.run(("seq", "1", "5000"), name="long"))
    found = search(street, "^[0-9]+$", target="long", maxMatches=3, before=1)
    assert texts(found) == ["long: 4998", "long: 4999", "long: 5000"]
    assert [one["before"] for one in found["results"]] == [["4997"], ["4998"], ["4999"]]
    assert found["matches"] == 5000


def test_the_log_of_a_terminal(street: LabEngine) -> None:
    """Below API 1.42 only its first byte tells it from frames, and its lines begin with times of their own."""
    street.wait(street.run(("sh", "-c", "echo one; echo ERROR two"), name="tty", Tty=True))
    assert texts(search(street, "^ERROR", target="tty")) == ["tty: ERROR two"]


def test_when_the_time_is_up_the_rest_is_named(street: LabEngine) -> None:
    found = search(street, "ERROR", maxSeconds="0.001")
    assert found["truncated"] == "maxSeconds"
    assert {one["name"] for one in found["skipped"]} >= {"app-c", "mute"}


def test_a_read_only_credential_is_enough(street: LabEngine) -> None:
    assert search(street, "ERROR", accessMode="readOnly")["matches"] == 6


@pytest.mark.parametrize(
    "body",
    [
        {"pattern": "("},
        {"pattern": "(?=a)"},
        {"pattern": "a", "targets": {}},
        {"pattern": "a", "target": "app-a", "targets": SHOP},
        {"pattern": "a", "target": "app-a", "since": "-15m"},
        {"pattern": "a", "target": "app-a", "before": 101},
        {"target": "app-a"},
    ],
)
def test_what_cannot_be_meant_is_refused(street: LabEngine, body: dict[str, Any]) -> None:
    settings = config(street, errorPolicy="throwError")
    if body.get("pattern") == "(":
        body["target"] = "app-a"
    assert failed(run_step("SearchLogs", body, settings))[0] == "BadInput"


@pytest.mark.shows("SearchLogs", "fails")
def test_a_container_that_is_not_there_is_an_error(street: LabEngine) -> None:
    body = {"pattern": "a", "target": "nobody"}
    assert failed(run_step("SearchLogs", body, config(street)))[0] == "NotFound"


@pytest.fixture
def engines_forgotten() -> Iterator[None]:
    yield
    forget_engines()


@pytest.mark.usefixtures("engines_forgotten")
@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found"])
def test_a_proxy_that_forbids_logs_is_no_empty_result(tmp_path: Path, status: str) -> None:
    """What a container's own refusal leaves out, a refusal of the whole call does not."""
    listed = b'[{"Id": "%b", "Names": ["/web"], "State": "running", "Status": "Up"}]' % (b"a" * 64)
    refusal = say(answer(b"404 page not found\n", status, "text/plain"))
    with Scripted(tmp_path, say(answer(listed)), refusal) as server:
        settings = {"server": "2", "otherServer": server.url, "errorPolicy": "throwError"}
        name, _ = failed(run_step("SearchLogs", {"pattern": "a", "targets": {"names": ["*"]}}, settings))
    assert name in ("Unauthorized", "NoSuchOperation")
