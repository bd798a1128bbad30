"""Shows the results of the commands list and describe to people, as tables in the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lib.local.catalog.catalog import Function, Schema, properties, versions_of
from lib.local.catalog.describe import example_command, summary
from lib.local.output.terminal import Terminal

_TAG = re.compile(r"</?[a-z]+>")  # the platform shows these as HTML


def show_list(functions: Sequence[Function], total: int, terminal: Terminal) -> None:
    """Show one row for each function, and how many of `total` there are."""
    rows = [tuple(str(value or "") for value in summary(function).values()) for function in functions]
    terminal.table("", ("Key", "Title", "Group", "API"), rows)
    terminal.note(f"{len(functions)} of {total}")


def show_function(function: Function, terminal: Terminal) -> None:
    """Show title, versions, inputs, outputs, settings and an example of one function."""
    incoming, outgoing = function.schema("in"), function.schema("out")
    terminal.text(f"{function.key}: {function.title}", "bold")
    for line in (function.description, *_facts(function, incoming)):
        if line:
            terminal.text(line)
    _show_properties(terminal, "Input", incoming, depth=3)
    _show_properties(terminal, "Output", outgoing, depth=2)
    _show_settings(terminal, function.settings)
    terminal.text(f"\nExample\n  {example_command(function)}")


def _facts(function: Function, schema: Schema) -> list[str]:
    facts = [f"{function.kind.capitalize()} in the group {function.group}"]
    if "x-method" in schema:
        facts.append(f"{schema['x-method']} {schema['x-path']}")
    if function.commands:
        facts.append(f"Does what these do: {', '.join(function.commands)}")
    if versions_of(schema):
        facts.append(f"API versions {versions_of(schema)}")
    return facts


def _show_properties(terminal: Terminal, title: str, schema: Schema, *, depth: int) -> None:
    rows = [
        (
            item.name,
            item.type,
            "yes" if item.required else "",
            item.versions,
            f"{item.title}. {item.description}" if item.description else item.title,
        )
        for item in properties(schema, depth)
    ]
    if rows:
        terminal.table(f"\n{title}", ("Name", "Type", "Required", "API", "Meaning"), rows)
    else:
        terminal.text(f"\n{title}: nothing declared")


def _show_settings(terminal: Terminal, settings: Mapping[str, Any]) -> None:
    rows = [
        (key, _choices(field), str(field.get("label", key)), _help(field)) for key, field in settings.items()
    ]
    if rows:
        terminal.table("\nSettings (--config)", ("Name", "Values", "Label", "Meaning"), rows)


def _choices(field: Mapping[str, Any]) -> str:
    model = field.get("model")
    if isinstance(model, dict):
        return ", ".join(model)
    return "true, false" if field.get("viewClass") == "CheckBoxView" else "text"


def _help(field: Mapping[str, Any]) -> str:
    text = str(field.get("help", {}).get("description") or field.get("note") or field.get("prompt") or "")
    return _TAG.sub("", text)
