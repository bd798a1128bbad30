"""docs/protocol.md says of variables, texts, vectors and statements what the code and its tests hold."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from lib.sailor import logging, service
from lib.sailor.message.cipher import Aes, to_wire
from lib.sailor.message.headers import identity, outgoing
from lib.sailor.settings import MANDATORY, MANDATORY_FOR_MESSAGES, Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/protocol.md").read_text("utf-8")
STATEMENT = re.compile(r"^(\d+)\. ", re.MULTILINE)
NUMBERED_TEST = re.compile(r"(?:test|and)_(\d\d)_")


def section(number: str) -> str:
    """The text of a section or of a part of one, without those that follow."""
    begin = re.search(rf"^##+ {re.escape(number)}\.? .*$", PAGE, re.MULTILINE)
    assert begin is not None, f"no section {number}"
    marks = "##" if "." not in number else "##+"
    return re.split(rf"^{marks} ", PAGE[begin.end() :], flags=re.MULTILINE)[0]


def rows(number: str) -> list[list[str]]:
    """The cells of all rows of a section's tables, without the heads."""
    lines = [line.strip() for line in section(number).splitlines() if line.strip().startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        row for row, below in zip(cells, [*cells[1:], [""]], strict=True) if "---" not in row[0] + below[0]
    ]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_contents_name_every_section() -> None:
    titles = re.findall(r"^## (\d+\. .+)$", PAGE, re.MULTILINE)
    assert len(titles) == 15
    assert re.findall(r"^\| \[(\d+\. [^\]]+)\]\(#", PAGE, re.MULTILINE) == titles


def test_mandatory_variables_stand_in_the_order_in_which_they_are_reported() -> None:
    table = rows("1.1")
    assert [row[0] for row in table] == [str(number) for number in range(1, 21)]
    assert [code(row[1])[0] for row in table] == [*MANDATORY, *MANDATORY_FOR_MESSAGES]
    assert {row[1].strip("`") for row in table if row[3] == "always"} == set(MANDATORY)


def test_optional_variables_have_the_defaults_of_the_code() -> None:
    told = {code(row[0])[0]: row for row in rows("1.2")}
    told.pop("ADDITIONAL_VARS_FOR_HEADERS")
    assert len(told) == 28
    words = {"without end": None, "none": "", "empty": "", "true": True, "false": False}
    held = {slot.name.upper(): slot for slot in fields(Settings)}
    for name, row in told.items():
        value = row[2].strip("`")
        default = int(value) if value.isdigit() else words.get(value, value)
        assert held[name].default == default, name
        kind = {"text": "str"}.get(row[1].split(",")[0], row[1].split(",")[0])
        assert str(held[name].type).removesuffix(" | None") == kind, name


def test_nothing_that_the_platform_sets_is_left_out() -> None:
    told = {
        name for number in ("1.1", "1.2", "1.5") for row in rows(number) for name in code("".join(row[:2]))
    }
    prefixless = {
        "REQUEST_TIMEOUT",
        "REQUEST_MAX_RETRY",
        "URLS",
        "ATTACHMENTS",
        "ADDITIONAL_HEADERS",
        "DOUBTS",
    }
    ours = {"SHUTDOWN_DEADLINE"}
    assert {slot.name.upper() for slot in fields(Settings)} - told == prefixless | ours
    assert all(name in section("1.2") for name in (*ours, "REQUEST_TIMEOUT", "REQUEST_MAX_RETRY"))


@pytest.mark.parametrize("version", [1, 2])
def test_the_vectors_are_right(version: int) -> None:
    vectors = [[code(cell)[0] for cell in row] for row in rows("4.3")]
    assert len(vectors) == 4
    password, iv, _ = code(section("4.3"))[:3]
    for text, raw, encoded in vectors:
        sealed = to_wire(Aes(password, iv), text.encode(), version)
        assert sealed == (encoded.encode() if version == 1 else bytes.fromhex(raw))


def test_the_standard_headers_are_those_of_the_code() -> None:
    table = outgoing({"threadId": "t", "messageId": "m"}, identity(Settings()), 1)
    told = next(row[2] for row in rows("4.5") if row[1] == "standard")
    names = re.findall(r"(?:^|, )`(\w+)`", re.sub(r"\([^)]*\)", "", told))
    assert {*names, "messageId"} == table.keys()


def test_service_methods_and_levels_are_those_of_the_code() -> None:
    assert tuple(row[0] for row in rows("7.2")[:3]) == service.METHODS
    level = next(row[1] for row in rows("10") if row[0] == "`level`")
    assert dict(re.findall(r"(\d+) (\w+)", level)) == {str(at): name for name, at in logging.LEVELS.items()}


def test_differences_are_numbered_without_a_gap() -> None:
    assert [row[0] for row in rows("13")] == [f"D-{number:02}" for number in range(1, 31)]


def test_each_part_of_the_checklist_names_the_file_that_proves_it() -> None:
    parts = re.split(r"^### 14\.\d ", section("14"), flags=re.MULTILINE)[1:]
    numbers = []
    for part in parts:
        told = [int(number) for number in STATEMENT.findall(part)]
        file = ROOT / code(part)[0]
        tests = re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
        proven = {int(number) for name in tests for number in NUMBERED_TEST.findall(name)}
        assert set(told) <= proven, file.name
        numbers += told
    assert numbers == list(range(1, 91))


def test_what_is_better_than_the_other_runtime_is_marked_in_both_places() -> None:
    """Each statement with a test that is called better says what is better."""
    marked = set(
        re.findall(r"^(\d+)\. (?:(?!^\d+\. ).)*?\*\*Better\*\*", section("14"), re.MULTILINE | re.DOTALL)
    )
    tests = [
        name
        for file in (ROOT / "tests/sailor").glob("test_checklist_*.py")
        for name in re.findall(r"^def (test_\d\d_better_\w+)", file.read_text("utf-8"), re.MULTILINE)
    ]
    assert len(tests) > 20
    assert {str(int(name[5:7])) for name in tests} - marked == set()
