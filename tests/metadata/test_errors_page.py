"""docs/errors.md has all errors that a step can end in, and says of each what the code does."""

from __future__ import annotations

import ast
import importlib
import json
import re
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from lib.action.settings import Outcome, StepSettings
from lib.engine.errors import EngineError
from lib.metadata.errors_page import errors_page, names

ROOT = Path(__file__).parents[2]
WORDS = tomllib.loads((ROOT / "lib/metadata/words/errors.toml").read_text("utf-8"))
ENTRIES = dict(names(WORDS))
NEVER_LEAVE = {
    "EngineError": "the root",
    "JobError": "the root of the jobs' errors",
    "Passed": "imageUpdated tells it as the state of a registry",
    "TimeIsUp": "a job makes of it what whenTimeIsUp says",
}
"""Errors in which no step ends."""
INSIDE = {
    "BrokenSessionError": "buildkit makes an EngineError of it",
    "EmitError": "the root of what the runtime says of emissions",
    "Interrupted": "a job that is stopped gives its message back",
    "Lost": "MirrorImage begins anew",
    "LostState": "a trigger starts anew and tells a gap",
    "Malformed": "the engine client makes an EngineError of it",
    "MalformedError": "buildkit makes an EngineError of it",
    "NoHttp": "the engine client makes an EngineError of it",
    "NotResolvedInTime": "the client and the runtime make an error of their own of it",
    "RefusedCallError": "buildkit makes an EngineError of it",
    "SailorError": "the root of the runtime's errors",
    "SettingReached": "the engine client makes a TimedOut of it",
}
"""Other exceptions of the code, and why no flow sees them; those with a _ before the name stay in their file."""
FOREIGN = {"differences", "error.name", "docker info"}
"""Names in backticks that are no input, setting, action or page."""


KNOWN = {"EngineError"}


def classes() -> Iterator[tuple[str, str]]:
    """Yield (module, class) of the EngineErrors in lib, read from the source; a root comes before what stands on it."""
    defined = {
        node.name: (".".join(path.relative_to(ROOT).with_suffix("").parts), node)
        for path in sorted((ROOT / "lib").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    above = {
        name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for name, (_, node) in defined.items()
    }
    for name in TopologicalSorter(above).static_order():
        if above.get(name, set()) & KNOWN:
            KNOWN.add(name)
            yield defined[name][0], name


CLASSES = {name: module for module, name in classes()}
MORE = {"LimitReached": {"limit": "maxItems"}}
"""What an error needs beside its text."""
POLICED = sorted(CLASSES.keys() - NEVER_LEAVE.keys())


def test_each_error_of_the_code_is_on_the_page_and_none_is_there_without_code() -> None:
    assert set(POLICED) <= set(ENTRIES)
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "lib").rglob("*.py"))
    assert [name for name in ENTRIES if f"class {name}(" not in source] == []


def test_each_other_exception_of_the_code_is_on_the_page_or_stays_inside() -> None:
    raised = {"Exception", "ValueError", "OSError", "LookupError", "RuntimeError", "TimeoutError"}
    others: set[str] = set()
    for path in (ROOT / "lib").rglob("*.py"):
        if "local" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                    if bases & (
                        raised | others | INSIDE.keys() | {"SailorError", "EmitError", "RequestError"}
                    ):
                        others.add(node.name)
    assert others - CLASSES.keys() - NEVER_LEAVE.keys() - set(ENTRIES) == set(INSIDE)


@pytest.mark.parametrize("name", POLICED)
def test_an_error_is_tried_again_as_the_page_says(name: str) -> None:
    kind = getattr(importlib.import_module(CLASSES[name]), name)
    outcomes = {}
    for method in ("GET", "POST"):
        error: EngineError = kind("text", **MORE.get(name, {}))
        error.method = method
        outcomes[method] = StepSettings.parse({}).outcome(error) is Outcome.REBOUND

    told = {(True, True): "yes", (True, False): "reads", (False, False): "no"}
    assert ENTRIES[name]["again"] == told[outcomes["GET"], outcomes["POST"]]


def inputs() -> set[str]:
    manifest: dict[str, Any] = json.loads((ROOT / "component.json").read_text("utf-8"))
    found = set(manifest["credentials"]["fields"]) | set(manifest["actions"])
    for action in manifest["actions"].values():
        found |= set(action.get("fields", {}))
    for path in (ROOT / "schemas").glob("*.in.json"):
        found |= set(json.loads(path.read_text("utf-8"))["properties"])
    return found


def test_what_to_do_names_inputs_and_settings_that_exist() -> None:
    known = inputs() | FOREIGN
    for name, entry in ENTRIES.items():
        for word in re.findall(r"`([^`]+)`", entry["do"]):
            exists = (ROOT / word).exists() if word.startswith("docs/") else word in known
            assert exists or word.endswith("://"), f"{name}: {word}"


@pytest.mark.parametrize("text", WORDS["frequent"])
def test_a_text_that_the_page_explains_is_one_of_the_code(text: str) -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "lib").rglob("*.py"))
    joined = re.sub(r'"\s*\n\s*f?"', "", source)
    for part in filter(None, (part.strip(" ;") for part in text.split("..."))):
        assert part in joined

    named = set(re.findall(r"`([^`]+)`", WORDS["frequent"][text]))
    assert named <= inputs()


def test_an_entry_without_its_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="Odd"):
        errors_page({"frequent": {}, "group": {"title": "A", "Odd": {"when": "Now."}}})
