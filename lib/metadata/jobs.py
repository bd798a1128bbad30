"""Jobs as words/jobs/<group>.toml describes them, one table per job, and their schemas.

| Key | Content |
|---|---|
| title, description | as for operations; the description says what the job does and does not |
| replaces | keys of the operations that it stands for; their help names the job |
| calls | keys of all operations whose calls it makes; whoever writes rules for a proxy needs them |
| changes | whether it may change the engine |
| again | what happens when the step dies in the middle and the message comes again |
| settings | names of settings.toml, in the order of the form |
| input, output | field -> JSON Schema with title and description, nested ones in `properties` or `items` |
| notes | what else is worth a line on the page of jobs |
| example, answer | a message body that it accepts, and the body that it emits for it |

`input` and `output` may name fields of the file shared.toml beside them by a text in place of a table: "shared.NAME".
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.metadata.facts import Facts, Tree
from lib.metadata.words import Words

GROUPS = ("run", "find", "ensure", "change", "files", "clean", "expert")
"""Files in actions/jobs/ and sections of the pages; the order is that of the lists which people see."""
_NEEDED = (
    "title",
    "description",
    "calls",
    "changes",
    "again",
    "settings",
    "input",
    "output",
    "example",
    "answer",
)
_PARTS = {*_NEEDED, "replaces", "notes"}
_SHARED = "shared."


@dataclass(frozen=True)
class JobWords:
    """One job; `table` has the keys of the head of this file."""

    key: str
    group: str
    table: Tree

    @property
    def title(self) -> str:
        return str(self.table["title"])

    @property
    def description(self) -> str:
        return str(self.table["description"])

    @property
    def replaces(self) -> list[str]:
        found: list[str] = self.table.get("replaces", [])
        return found

    def schema_in(self) -> Tree:
        """Return the in-schema, in the platform's dialect; required fields come first."""
        fields: Tree = {name: dict(node) for name, node in self.table["input"].items()}
        first = sorted(fields, key=lambda name: not fields[name].get("required", False))
        for order, name in enumerate(reversed(first), start=1):
            fields[name]["order"] = order
        root: Tree = {"title": self.title, "type": "object", "x-job": self.key}
        return root | {"example": self.table["example"], "properties": {name: fields[name] for name in first}}

    def schema_out(self) -> Tree:
        """Return the out-schema, with the fields that all jobs have."""
        properties = dict(self.table["output"]) | OUTPUT
        if self.table["changes"]:
            properties |= OUTPUT_OF_CHANGES
        root: Tree = {"title": self.title, "type": "object", "x-job": self.key, "properties": properties}
        return root | {"example": self.table["answer"]}


OUTPUT: Tree = {
    "duration": {"title": "Duration", "description": "Seconds that the job took.", "type": "number"},
    "warnings": {
        "title": "Warnings",
        "description": "What is worth knowing and did not stop the job.",
        "type": "array",
        "items": {"type": "string"},
    },
}
OUTPUT_OF_CHANGES: Tree = {
    "changed": {
        "title": "Changed",
        "description": "Whether anything on the engine was changed; false in a dry run.",
        "type": "boolean",
    },
    "dryRun": {"title": "Dry run", "description": "Whether this was a dry run.", "type": "boolean"},
    "plan": {
        "title": "Plan",
        "description": "The changes in their order: made, or to be made in a dry run.",
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "action": {
                    "title": "Action",
                    "description": "What is done: create, start, pull, remove and others.",
                    "type": "string",
                },
                "kind": {
                    "title": "Kind",
                    "description": "What it is done to: container, image, network, volume and others.",
                    "type": "string",
                },
                "name": {"title": "Name", "description": "Its name or id.", "type": "string"},
                "reason": {"title": "Reason", "description": "Why.", "type": "string"},
            },
        },
    },
}


def load(folder: Path, facts: Facts, words: Words) -> dict[str, JobWords]:
    """Read words/jobs; raises ValueError for what is missing, unknown or has no words."""
    shared: Tree = _file(folder / "shared.toml")
    found: dict[str, JobWords] = {}
    for group in GROUPS:
        for key, table in _file(folder / f"{group}.toml").items():
            if key in found or key in facts.operations:
                raise ValueError(f"words/jobs/{group}.toml: {key} is there twice")
            _check(key, table, facts, words)
            for part in ("input", "output"):
                table[part] = {name: _resolved(key, node, shared) for name, node in table[part].items()}
                for name, node in table[part].items():
                    _worded(f"{key}.{part}.{name}", node)
            found[key] = JobWords(key, group, table)
    return found


def _check(key: str, table: Tree, facts: Facts, words: Words) -> None:
    if wrong := [
        *(part for part in _NEEDED if part not in table),
        *(part for part in table if part not in _PARTS),
    ]:
        raise ValueError(f"job {key}: missing or unknown: {', '.join(wrong)}")
    for part in ("calls", "replaces"):
        if unknown := [name for name in table.get(part, ()) if name not in facts.operations]:
            raise ValueError(f"job {key}: {part} names no operation: {', '.join(unknown)}")
    if unknown := [name for name in table["settings"] if name not in words.settings]:
        raise ValueError(f"job {key}: settings.toml has no {', '.join(unknown)}")


def _resolved(key: str, node: Any, shared: Tree) -> Tree:
    """Return a field with what it names of shared.toml, also in its properties and those of its items."""
    if isinstance(node, str):
        name = node.removeprefix(_SHARED)
        if name == node or name not in shared:
            raise ValueError(f"job {key}: {node} is not in shared.toml")
        node = shared[name]
    found: Tree = dict(node)
    if "properties" in found:
        found["properties"] = {name: _resolved(key, one, shared) for name, one in found["properties"].items()}
    if "properties" in found.get("items", {}):
        found["items"] = _resolved(key, found["items"], shared)
    return found


def _worded(path: str, node: Tree) -> None:
    """Raise ValueError where a property lacks its title, its description or its type."""
    for part in ("title", "description", "type"):
        if part not in node:
            raise ValueError(f"job property {path} has no {part}")
    items = node.get("items", {})
    for inner in (node, items):
        for name, one in inner.get("properties", {}).items():
            _worded(f"{path}.{name}", one)


def _file(path: Path) -> Tree:
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
