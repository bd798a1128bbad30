"""docs/operations-guide.md: its variables are those that the code reads, its log fields those that a step writes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from lib.config.declared_fields import VARIABLE
from lib.sailor import service
from lib.sailor.logging import open_logger
from lib.sailor.net.destinations import DEFAULT, Destinations
from lib.sailor.settings import MANDATORY, MANDATORY_FOR_MESSAGES, Settings
from tests.sailor.step_harness import StepHarness

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations-guide.md").read_text("utf-8")
PREFIX = "ELASTICIO_"
LOCAL = "lib/local"


class Asked(Mapping[str, str]):
    """An environment that remembers what it was asked for, and has what a start and a service call need."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        needed = (*MANDATORY, *MANDATORY_FOR_MESSAGES, "CFG", "ACTION_OR_TRIGGER", "GET_MODEL_METHOD")
        self._there = {PREFIX + name: "x" * 16 for name in needed}

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._there[name]

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return name in self._there

    def __iter__(self) -> Iterator[str]:
        return iter(self._there)

    def __len__(self) -> int:
        return len(self._there)


def told(part: str) -> set[str]:
    """The names of variables behind a mark of the page, up to the next mark or heading."""
    text = re.split(r"<!-- |\n## ", PAGE.partition(f"<!-- variables: {part} -->")[2])[0]
    return {
        name
        for code in re.findall(r"`([^`]+)`", text if part in ("rest", "local") else first_cells(text))
        for name in [code]
        if re.fullmatch(r"[A-Z][A-Z0-9_]+", name)
    }


def first_cells(text: str) -> str:
    return "\n".join(re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE))


def literal_names(*folders: str) -> set[str]:
    """Names that are asked for in the source itself: environ.get("X"), environment["X"] and the like."""
    found = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Subscript):
                    asked, key = node.value, node.slice
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                    asked, key = node.func.value, node.args[0]
                else:
                    continue
                name = asked.attr if isinstance(asked, ast.Attribute) else getattr(asked, "id", "")
                if name in ("environ", "environment", "variables") and isinstance(key, ast.Constant):
                    found.add(str(key.value))
    return found


def read_by_the_component() -> set[str]:
    asked = Asked()
    Settings.read(asked)
    open_logger(asked)
    for method in service.METHODS:
        service._check(method, asked)
    others = literal_names("lib/config", "lib/trigger", "lib/sailor", "lib/job", "lib/engine")
    return asked.names | others | {VARIABLE}


def test_the_page_has_every_variable_that_the_component_reads_and_no_other() -> None:
    assert told("ours") | told("platform") | told("rest") == read_by_the_component()
    assert not told("rest") & (told("ours") | told("platform"))


def test_the_page_has_every_variable_that_the_local_runner_reads() -> None:
    assert told("local") == literal_names(LOCAL) - read_by_the_component()


def test_the_defaults_are_those_of_the_code() -> None:
    held = {PREFIX + slot.name.upper(): slot.default for slot in fields(Settings)}
    held |= {name: held[PREFIX + name] for name in ("REQUEST_TIMEOUT", "REQUEST_MAX_RETRY")}
    limits = Destinations()
    for prefix in ("URL", "ATTACHMENT"):
        held |= {
            f"{prefix}_{name.upper()}": getattr(limits, name)
            for name in ("max_bytes", "max_seconds", "idle_seconds")
        }
        held[f"{prefix}_REFUSED_NETWORKS"] = DEFAULT
    rows = re.findall(r"^\| (`[A-Z][^|]*) \| `([^`|]+)` \|", PAGE, re.MULTILINE)
    seen = {name: value for names, value in rows for name in re.findall(r"`([^`]+)`", names)}
    seen.pop("LOG_LEVEL")
    seen.pop(PREFIX + "RATE_INTERVAL", None)
    assert len(seen) >= 15
    assert {name: str(held[name]) for name in seen} == seen


@pytest.mark.broker
def test_a_step_writes_the_fields_of_the_page(stage: StepHarness) -> None:
    table = re.split(r"\n\n(?!\|)", PAGE.partition("<!-- log fields")[2].partition("-->")[2].strip())[0]
    names = {name for name in re.findall(r"`([^`]+)`", first_cells(table)) if name != "ELASTICIO_..."}
    process = stage.start(LOG_LEVEL="trace")
    stage.do("echo")
    stage.do("fail")
    stage.take("data")
    stage.take("error")
    stage.settled()

    written = {name for line in process.lines for name in line}
    assert len(names) >= 10
    assert names <= written
    assert any(name.startswith(PREFIX) for name in written)
