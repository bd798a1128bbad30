"""Makes the JSON values that the commands list and describe show."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from lib.local.catalog.catalog import Function, versions_of
from lib.local.catalog.sample import sample

_HERE = Path(__file__).resolve().parents[3]
"""The component of this repository, which the runner takes where no other is named."""


def summary(function: Function) -> dict[str, Any]:
    """Return key, title, group and API versions of a function: one row of the list."""
    return {
        "key": function.key,
        "title": function.title,
        "group": function.group,
        "since": versions_of(function.schema("in")) or None,
    }


def whole(function: Function) -> dict[str, Any]:
    """Return all that manifest and schemas have about a function, and an example."""
    incoming = function.schema("in")
    return {
        **summary(function),
        "kind": function.kind,
        "description": function.description,
        "commands": function.commands,
        "in": incoming,
        "out": function.schema("out"),
        "fields": function.settings,
        "example": sample(incoming),
    }


def example_command(function: Function) -> str:
    """Return a command line for a shell that runs the function on a sample message."""
    where = "" if function.folder.resolve() == _HERE else f" --component {shlex.quote(str(function.folder))}"
    if function.kind == "trigger":
        return f"scripts/run trigger {function.key} --times 1{where}"
    body = json.dumps(sample(function.schema("in")), ensure_ascii=False).replace("'", "'\\''")
    return f"scripts/run action {function.key} --body '{body}'{where}"
