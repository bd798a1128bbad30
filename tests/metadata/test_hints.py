"""What errors advise: each field that a hint names is one of the step in which the error comes up.

Hints are read from the source. What a hint names is found by its form: words such as maxBytes or ContainerInspect
are in no sentence. Which steps an error comes up in is read from the imports of the steps' files.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = json.loads((ROOT / "component.json").read_text("utf-8"))
CREDENTIAL = {name: field["label"] for name, field in MANIFEST["credentials"]["fields"].items()}
ACTIONS = MANIFEST["actions"]
NAMED = re.compile(r"(?<![\w$./-])(?:[a-z]+[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*)(?![\w.])")
"""A name that is no word of a sentence."""
FOREIGN = {"OpenSSH", "HostConfig", "HostIp", "HostPort", "NetworkMode", "ClusterVolumeSpec"}
"""Names of the Engine API in examples, and of other people."""
AT_LEAST = 50
ELSEWHERE = {
    ("lib.job.files.backup", "maxQuiet"): {"RestoreVolume"},
    ("lib.job.files.backup", "quiesce"): {"RestoreVolume"},
    ("lib.job.find.lookup", "allowZeroResults"): {"DeleteObject"},
}
"""Jobs that use another function of the file than the one which has the hint."""


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@cache
def tree_of(module: str) -> ast.Module | None:
    place = ROOT.joinpath(*module.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return ast.parse(file.read_text("utf-8")) if file.is_file() else None


def imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (name, module) of what is imported from our own modules anywhere in a tree."""
    for one in ast.walk(node):
        if isinstance(one, ast.ImportFrom) and (one.module or "").startswith("lib"):
            for alias in one.names:
                inner = f"{one.module}.{alias.name}"
                yield alias.asname or alias.name, inner if tree_of(inner) else str(one.module)


@cache
def reached(module: str) -> frozenset[str]:
    """A module and all of lib/job that it imports."""
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name in found or (tree := tree_of(name)) is None:
            continue
        found.add(name)
        waiting += [inner for _, inner in imported(tree) if inner.startswith("lib.job.")]
    return frozenset(found)


@cache
def jobs_of() -> dict[str, frozenset[str]]:
    """Module of lib/job -> keys of the jobs whose handlers reach it."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "actions/jobs").glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        from_where = dict(imported(tree))
        for node in tree.body:
            key = _key(node)
            if key is None:
                continue
            used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
            for module in {from_where[name] for name in used & from_where.keys()}:
                for inner in reached(module):
                    found.setdefault(inner, set()).add(key)
    return {module: frozenset(keys) for module, keys in found.items()}


def _key(node: ast.AST) -> str | None:
    for decorator in getattr(node, "decorator_list", ()):
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "job":
            return str(getattr(decorator.args[0], "value", ""))
    return None


@cache
def fields_of(key: str) -> frozenset[str]:
    """Inputs on all levels and settings of an action or job."""
    found = set(ACTIONS[key]["fields"])

    def inside(node: Any) -> None:
        if isinstance(node, dict):
            found.update(node.get("properties", {}))
            for below in node.values():
                inside(below)
        elif isinstance(node, list):
            for below in node:
                inside(below)

    inside(json.loads((ROOT / "schemas" / f"{key}.in.json").read_text("utf-8")))
    return frozenset(found)


def hints() -> Iterator[tuple[str, int, str]]:
    """Yield module, line and text of every hint; what is put in at run time is left out."""
    for folder in ("lib", "actions", "triggers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "local" in path.parts:
                continue
            tree = ast.parse(path.read_text("utf-8"))
            for line, node in given(tree):
                found = node
                if isinstance(node, ast.Name):
                    found = texts(tree, node.id, line)
                parts = [one.value for one in ast.walk(found) if isinstance(one, ast.Constant)]
                if text := " ".join(part for part in parts if isinstance(part, str)):
                    yield module_of(path), line, text


def given(tree: ast.Module) -> Iterator[tuple[int, ast.AST]]:
    """Yield line and value of hint=... and of x.hint = ... in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "hint":
            yield node.value.lineno, node.value
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "attr", "") == "hint":
            yield node.lineno, node.value


def texts(tree: ast.Module, name: str, line: int) -> ast.AST:
    """What a name stood for last before a line, or in the head of the file."""
    found: ast.AST = ast.Constant(None)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and node.lineno <= line and name in map(_id, node.targets):
            found = node.value if node.lineno >= getattr(found, "lineno", 0) else found
    return found


def _id(node: ast.AST) -> str:
    return str(getattr(node, "id", ""))


HINTS = [(f"{module}:{line}", module, text) for module, line, text in hints() if NAMED.search(text)]


def test_there_are_hints_that_name_something() -> None:
    assert len(HINTS) >= AT_LEAST


@pytest.mark.parametrize(("module", "text"), [one[1:] for one in HINTS], ids=[one[0] for one in HINTS])
def test_a_hint_names_what_there_is_where_it_is_shown(module: str, text: str) -> None:
    everywhere = set(CREDENTIAL) | FOREIGN | set(ACTIONS) | set(MANIFEST["triggers"])
    named = [name for name in NAMED.findall(text) if name not in everywhere]
    jobs = jobs_of().get(module)
    if jobs is None:  # a part of the engine client or of the actions' bridge
        known = frozenset().union(*(fields_of(key) | _values(key) for key in ACTIONS))
        assert [name for name in named if name not in known] == []
    for key in jobs or ():
        lacking = [name for name in named if name not in fields_of(key) | _values(key)]
        assert [name for name in lacking if key not in ELSEWHERE.get((module, name), ())] == [], key


@cache
def _values(key: str) -> frozenset[str]:
    """Values that inputs and settings may have."""
    found = {value for field in ACTIONS[key]["fields"].values() for value in _model(field)}
    schema = json.loads((ROOT / "schemas" / f"{key}.in.json").read_text("utf-8"))
    for node in schema["properties"].values():
        found.update(map(str, node.get("enum", ())))
    return frozenset(found)


def _model(field: dict[str, Any]) -> list[str]:
    model = field.get("model")
    return list(model) if isinstance(model, dict) else []


@pytest.mark.parametrize(
    ("text", "names"),
    [(text, names) for _, _, text in HINTS if (names := set(NAMED.findall(text)) & set(CREDENTIAL))],
)
def test_a_hint_about_the_credential_says_what_the_form_shows(text: str, names: set[str]) -> None:
    for name in names:
        assert f'{name} ("{CREDENTIAL[name]}")' in text
