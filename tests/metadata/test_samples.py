"""The answers that the pages and the out-schemas show: of the form that the schema says, and of no machine."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from lib.action.input.validation import validator
from lib.metadata.facts import load
from tests.samples.neutral import DAY, FIXED, Neutral

ROOT = Path(__file__).parents[2]
FACTS = load()
JOBS = [
    key
    for key, action in json.loads((ROOT / "component.json").read_text("utf-8"))["actions"].items()
    if "/jobs/" in action["main"]
]
EMPTY = ("empty",)
"""Kinds of answers whose messages are an empty object."""
NEVER = ("0001", "1970")
"""Years in times of engines that stand for none."""
NOT_SHOWN = {
    "ImageAttestations": "it needs an image that BuildKit has signed",
    "ImageSearch": "it needs the index of a registry",
    "SystemAuth": "it needs a registry with a login",
    "ImageLoad": "its answer depends on the archive",
}
"""Operations without a sample, at most these."""


def schema_of(key: str) -> dict[str, Any]:
    return json.loads((ROOT / "schemas" / f"{key}.out.json").read_text("utf-8"))


def test_nearly_every_operation_that_answers_has_a_sample() -> None:
    answering = {key for key, shape in FACTS.shapes.items() if shape["answer"] not in EMPTY}
    assert answering - set(FACTS.samples) <= set(NOT_SHOWN)
    assert set(FACTS.samples) <= answering


@pytest.mark.parametrize("key", [*FACTS.samples, *JOBS])
def test_the_example_of_an_output_is_one_of_its_schema(key: str) -> None:
    schema = schema_of(key)
    example = dict(schema["example"])
    if key == "EngineRequest":
        del example[
            "body"
        ]  # of whatever type the engine answers with, which the platform's schemas cannot say
    assert example
    assert validator(ROOT / f"schemas/{key}.out.json").errors(example) == []


def test_samples_say_nothing_of_a_machine() -> None:
    text = json.dumps(FACTS.samples)
    days = {day for day in re.findall(r"(\d{4}-\d\d-\d\d)T", text) if day[:4] not in NEVER}
    assert days == {DAY}
    assert not re.search(
        r"/tmp/|/home/|/root/|file://|SWMTKN-1-[0-9a-z]{20}|SWMKEY-1-[A-Za-z0-9+/]{20}", text
    )
    assert "BEGIN CERTIFICATE-----\\n..." in text
    addresses = set(re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", text))
    known = ("0.0.0.0", "127.0.0.", "172.17.0.", "172.30.0.", "192.0.2.", "10.0.")
    assert {one for one in addresses if not one.startswith(known)} == set()


def test_what_is_replaced_is_replaced_alike_everywhere() -> None:
    neutral = Neutral({"127.0.0.1:40123": "registry.example.org"})
    one, two = "ab" * 32, "cd" * 32
    given = {
        "Id": one,
        "short": f"of {one[:12]}",
        "other": two,
        "image": "127.0.0.1:40123/shop/web:1",
        "host": os.uname().nodename,
        "Pid": 17,
        "none": None,
        "at": "2031-05-06T07:08:09.5Z",
        "created": 1_900_000_000,
        "list": [{"n": 1}, {"n": 2}, {"n": 3}],
    }
    told = neutral.of(given)

    assert told == neutral.of(given)
    assert told["short"] == f"of {told['Id'][:12]}"
    assert len({told["Id"], told["other"], one, two}) == 4
    assert (told["image"], told["host"]) == ("registry.example.org/shop/web:1", FIXED["Hostname"])
    assert (told["at"], told["Pid"], told["list"]) == (
        f"{DAY}T07:08:09.5Z",
        FIXED["Pid"],
        [{"n": 1}, {"n": 2}],
    )
    assert "none" not in told
    assert told["created"] != given["created"]
