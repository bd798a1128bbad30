"""Which functions do what a docker command does: words/commands.toml, for docs/cookbook.md and for component.json.

A value of the file is a cell of the page's table; the keys of functions stand in it between backticks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from lib.metadata.facts import Tree

MARK = "x-commands"
_KEY = re.compile(r"`(\w+)`")


def load(folder: Path) -> dict[str, str]:
    """Return docker command -> what does it, in the order of the file."""
    path = folder / "commands.toml"
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def commands_table(commands: Mapping[str, str]) -> list[str]:
    """Return the lines of the table."""
    rows = [f"| `{command}` | {steps} |" for command, steps in commands.items()]
    return ["| Docker command | Action or job |", "|---|---|", *rows]


def mark(commands: Mapping[str, str], component: Tree) -> None:
    """Write into component.json which commands each function stands for; those for which it is the first come first.

    Raises ValueError for a key that is not there.
    """
    functions = component["actions"] | component.get("triggers", {})
    found: dict[str, list[tuple[int, str]]] = {}
    for command, steps in commands.items():
        keys = _KEY.findall(steps)
        if unknown := [key for key in keys if key not in functions]:
            raise ValueError(f"words/commands.toml: {command} names no function: {', '.join(unknown)}")
        for place, key in enumerate(keys):
            found.setdefault(key, []).append((place, command))
    for key, ranked in found.items():
        functions[key][MARK] = [command for _, command in sorted(ranked, key=lambda one: one[0])]
