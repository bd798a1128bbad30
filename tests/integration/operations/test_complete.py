"""Every operation is shown at work and failing."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lib.metadata import facts
from tests.integration.operations.kinds import KINDS, differs, lacks

HERE = Path(__file__).parent


def modules() -> list[ModuleType]:
    names = sorted(path.stem for path in HERE.glob("test_*.py") if path != Path(__file__))
    return [importlib.import_module(f"tests.integration.operations.{name}") for name in names]


def marks_of(function: Any) -> Iterator[pytest.Mark]:
    for mark in getattr(function, "pytestmark", []):
        yield mark
        if mark.name == "parametrize":
            for case in mark.args[1]:
                yield from (getattr(own, "mark", own) for own in getattr(case, "marks", ()))


def runs_on(function: Any, kind: str) -> bool:
    """Whether a test that takes a site takes one of this kind."""
    for mark in getattr(function, "pytestmark", []):
        if mark.name == "parametrize" and "site" in mark.args[0]:
            return kind in str(mark.args[1])
    return "site" in function.__code__.co_varnames if hasattr(function, "__code__") else False


def test_what_docs_podman_says_works_is_shown_there() -> None:
    shown = set()
    for module in modules():
        for function in vars(module).values():
            keys = [
                key
                for mark in marks_of(function)
                if mark.name == "operation" and mark.kwargs["case"] == "success"
                for key in mark.args
            ]
            if keys and runs_on(function, "podman") and not any(differs("podman", key) for key in keys):
                shown |= set(keys)
    works = {key for key in facts.load().operations if not differs("podman", key)}
    assert works - shown == set()


@pytest.mark.parametrize("case", ["success", "failure"])
def test_no_operation_is_forgotten(case: str) -> None:
    shown = {
        key
        for module in modules()
        for function in vars(module).values()
        for mark in marks_of(function)
        if mark.name == "operation" and mark.kwargs["case"] == case
        for key in mark.args
    }
    possible = {key for key in facts.load().operations if not all(lacks(kind, key) for kind in KINDS)}
    assert possible - shown == set()
    assert shown <= set(facts.load().operations)
