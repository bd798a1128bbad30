"""Reads our titles and descriptions: one TOML table for each operation and each definition.

For a property, the table of its definition is read first, then `_any`. Missing words are collected, so that a build
reports all of them at once.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "words"

Pair = tuple[str, str]

_WORD_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?!s(?![a-z]))[a-z])|[_\-. ]+")


@dataclass
class Words:
    """All words of a folder, the (table, key) that were asked for and are missing, and those that were used."""

    operations: dict[str, dict[str, Any]]
    definitions: dict[str, dict[str, list[str]]]
    inputs: dict[str, list[str]]  # inputs that mean the same in every operation
    answers: dict[str, dict[str, list[str]]]
    credentials: dict[str, Any]
    settings: dict[str, Any]
    triggers: dict[str, Any]
    component: dict[str, Any]
    errors: dict[str, Any]
    missing: set[tuple[str, str]] = field(default_factory=set)  # (table, key)
    used: set[tuple[str, str]] = field(default_factory=set)

    def operation(self, key: str, part: str) -> str:
        """Return the title, description or result of an operation; without words, a title made of the key, or ""."""
        text = self.operations.get(key, {}).get(part)
        if text is None:
            if part != "result":
                self.missing.add((key, part))
            return humanised(key) if part == "title" else ""
        return str(text)

    def input(self, key: str, name: str) -> Pair:
        """Return (title, description) of an input field of an operation."""
        table = self.operations.get(key, {}).get("fields", {})
        self.used.add((key, name))
        return self._pair(table.get(name) or self.inputs.get(name), f"{key}.fields", name)

    def answer(self, kind: str, path: str) -> Pair:
        """Return (title, description) of a property in an answer of the component's own form."""
        return self._pair(self.answers.get(kind, {}).get(path), f"answers:{kind}", path)

    def property(self, owner: str, path: str, *, needed: bool) -> Pair:
        """Return (title, description) of a property of a definition; `path` is dotted for inline objects.

        Without words, the title is made of the name; if words are `needed`, they are noted as missing.
        """
        name = path.rsplit(".", 1)[-1]
        self.used.add((owner, path))
        found = self.definitions.get(owner, {}).get(path) or self.definitions.get("_any", {}).get(name)
        if found is None and not needed:
            return humanised(name), ""
        return self._pair(found, owner, path)

    def _pair(self, found: list[str] | None, table: str, key: str) -> Pair:
        if not found or len(found) != 2:  # noqa: PLR2004 (title and description)
            self.missing.add((table, key))
            return humanised(key.rsplit(".", 1)[-1]), ""
        return found[0], found[1]


def load(folder: Path = FOLDER) -> Words:
    """Read all word files of a folder; raises ValueError for a table that is written twice."""
    return Words(
        operations=_tables(folder / "operations"),
        definitions=_tables(folder / "definitions"),
        inputs=_file(folder / "inputs.toml"),
        answers=_file(folder / "answers.toml"),
        credentials=_file(folder / "credentials.toml"),
        settings=_file(folder / "settings.toml"),
        triggers=_file(folder / "triggers.toml"),
        component=_file(folder / "component.toml"),
        errors=_file(folder / "errors.toml"),
    )


def humanised(name: str) -> str:
    """Return a readable form of a name of the Engine API: RestartCount -> Restart count, IPAddress -> IP address."""
    parts = [part for part in _WORD_BORDER.split(name) if part]
    words = [_cased(part) for part in parts]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _cased(part: str) -> str:
    if part in {"Id", "id"}:
        return "ID"
    acronym = part.isupper() or (part[:-1].isupper() and part.endswith("s"))
    return part if acronym else part.lower()


def _file(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def _tables(folder: Path) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for path in sorted(folder.glob("*.toml")):
        for key, table in _file(path).items():
            if key in tables and key != "_any":
                raise ValueError(f"{path.name}: [{key}] is written twice")
            tables.setdefault(key, {}).update(table)
    return tables
