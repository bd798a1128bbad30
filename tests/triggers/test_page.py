"""The page of the triggers: each guarantee names the tests that prove it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/triggers.md").read_text("utf-8")
PROOF = re.compile(r"<!-- proof: ([^>]*) -->")
TESTS = {
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
}
# Sections whose guarantees all have their proofs.
PROVEN = (
    "Triggers: guarantees and limits",
    "engineEvents",
    "containerStateChanged",
    "containerLogs",
    "imageUpdated",
    "resourceThreshold",
    "taskFailed",
    "objectChanged",
)


UNPROVEN = {"startFlow", "diskUsage"}
"""Their sections guarantee nothing beyond what a poll shows."""


def test_each_trigger_with_guarantees_is_proven() -> None:
    triggers = json.loads((ROOT / "component.json").read_text("utf-8"))["triggers"]
    assert set(triggers) - UNPROVEN == set(PROVEN[1:])


def items(title: str) -> list[str]:
    """The items of the lists in a section."""
    section = re.split(rf"^#+ {re.escape(title)}$", PAGE, flags=re.MULTILINE)[1]
    section = re.split(r"^## ", section, flags=re.MULTILINE)[0]
    return re.findall(r"^- .*(?:\n(?:  .*))*", section, re.MULTILINE)


def test_what_is_named_as_a_proof_is_a_test() -> None:
    named = {name.strip() for proof in PROOF.findall(PAGE) for name in proof.split(",")}
    assert len(named) > 20
    assert named <= TESTS


@pytest.mark.parametrize("title", PROVEN)
def test_each_guarantee_names_its_proof(title: str) -> None:
    found = items(title)
    assert len(found) >= 4
    assert [item for item in found if not PROOF.search(item)] == []
