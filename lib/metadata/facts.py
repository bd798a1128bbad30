"""The fact files: what the Engine API has, from its first version to its newest.

What their keys mean: CONTRIBUTING.md#the-fact-files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Tree = dict[str, Any]

FOLDER = Path(__file__).parent / "facts"


@dataclass(frozen=True)
class Facts:
    """The content of all fact files."""

    operations: Tree  # key -> method, path, resource, since, parameters, body
    definitions: Tree  # name -> JSON Schema, nullable as x-nullable
    filters: Tree  # key -> filter -> kind, since, values, forms
    shapes: Tree  # key -> kind of request and answer, what the operation needs
    extras: Tree  # inputs of the component, further types and names of inputs, marks such as x-secret
    answers: Tree  # kind of answer -> properties of its message
    examples: Tree  # key -> a message body that the operation accepts
    samples: Tree  # key -> what a real engine answered to it, for most operations


def load(folder: Path = FOLDER) -> Facts:
    """Read the fact files of a folder; raises ValueError for an operation that one of them lacks."""
    names = Facts.__dataclass_fields__
    facts = Facts(**{name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in names})
    for name in ("shapes", "examples"):
        for key in facts.operations.keys() ^ getattr(facts, name).keys():
            where = name if key in facts.operations else "operations"
            raise ValueError(f"facts/{where}.json has no {key}")
    return facts
