"""What generated pages share: tables, links, marks; the lists of the README, and the table of docs/triggers.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from lib.metadata.facts import Facts, Tree
from lib.metadata.manifest import RESOURCES

_SECTIONS = {"session": "Sessions"}
"""Headings that are not simply the resource: an action `Session` has that one, and a page has each heading once."""


def readme(text: str, component: Tree, facts: Facts, jobs: list[str]) -> str:
    """Return the README `text` with new lists between its marks; raises ValueError if a mark is missing.

    `jobs`: the list of jobs.
    """
    triggers = [f"[{key}](docs/triggers.md#{key.lower()})" for key in component.get("triggers", {})]
    of = Counter(operation["resource"] for operation in facts.operations.values())
    resources = [
        f"[{section(name)}](docs/operations.md#{name_of(section(name))}) {of[name]}" for name in RESOURCES
    ]
    text = between("README.md", text, "triggers", [", ".join(triggers)])
    text = between("README.md", text, "jobs", jobs)
    return between("README.md", text, "actions", [", ".join(resources)])


def triggers_page(text: str, component: Tree) -> str:
    """Return docs/triggers.md, which is written by hand but for its table of triggers."""
    return between("docs/triggers.md", text, "triggers", _triggers(component))


def versions(since: str | None, until: str | None) -> str:
    """Return "API 1.30 to 1.41", "API 1.30", or "" if there is no bound; 1.25 is the oldest supported version."""
    if until:
        return f"API {since} to {until}"
    return f"API {since}" if since and since != "1.25" else ""


def between(page: str, text: str, name: str, lines: list[str]) -> str:
    """Return a page's text with other lines between the marks of a name; ValueError where it has no such marks."""
    pattern = re.compile(rf"(<!-- build:{name} -->\n).*?(<!-- /build -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{page} lacks the lines <!-- build:{name} --> and <!-- /build -->")
    return pattern.sub(lambda found: found[1] + "\n".join(["", *lines, "", ""]) + found[2], text)


def section(resource: str) -> str:
    """Return the heading of a resource's operations."""
    return _SECTIONS.get(resource, resource.capitalize())


def name_of(heading: str) -> str:
    """Return the anchor of a heading: `## Find this` is #find-this."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _triggers(component: Tree) -> list[str]:
    lines = ["| Trigger | What it reports |", "|---|---|"]
    for key, trigger in component.get("triggers", {}).items():
        lines.append(row(f"[{trigger['title']}](#{key.lower()}) `{key}`", trigger.get("description", "")))
    return lines


def table(head: str, properties: Tree, kinds: Mapping[str, str] | None = None) -> list[str]:
    """Return the table of an input or output; `kinds`: name -> what stands as its type, in place of `type_name`."""
    if not properties:
        return [f"{head}: none.", ""]
    lines = [f"| {head} | Type | Meaning | Versions |", "|---|---|---|---|"]
    for name, node in properties.items():
        meaning = f"**{node['title']}**{' (required)' if node.get('required') else ''}. {node.get('description', '')}"
        lines.append(
            row(
                f"`{name}`",
                kinds[name] if kinds else type_name(node),
                meaning.strip(),
                versions(node.get("x-since"), node.get("x-until")),
            )
        )
    return [*lines, ""]


def type_name(node: Tree) -> str:
    """Return the type of a property for users, such as "list of string", "whole number" or "object or string"."""
    if "$ref" in node:
        return "object"
    name = "whole number" if node.get("multipleOf") == 1 else str(node.get("type", "any"))
    if name == "array":
        name = f"list of {type_name(node['items'])}" if "items" in node else "list"
    return " or ".join([name, *(item for item in node.get("x-accepts", ()) if item != name)])


def sentence(text: str) -> str:
    """Return the first sentence of a text."""
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]


def row(*cells: str) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
