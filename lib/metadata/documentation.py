"""Where the documentation is: a setting of the build, from which the links in the platform's forms are made.

The platform shows a help text at each action and trigger, and opens its `link`, an absolute address. Nobody but the
owner of a copy of this repository knows one, so it is a setting (CONTRIBUTING.md#where-the-documentation-is). Without
it the help has no link: a relative one would lead to a page of the platform that is not there.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from lib.metadata.facts import Tree

README = "README.md"


def address(project: Tree) -> str:
    """Return the address of the folder with the README, with a slash at its end; "" if there is none.

    `project`: the table [project] of pyproject.toml. Raises ValueError for what is no address.
    """
    text = str(project.get("urls", {}).get("Documentation", "")).strip()
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            f"pyproject.toml: Documentation = {text!r} has to be an address such as https://host/folder/"
        )
    return text.rstrip("/") + "/"


def section(page: str, key: str) -> str:
    """Return the target of one action, job or trigger: its section on a page of docs/."""
    return f"docs/{page}.md#{key.lower()}"


def help_of(description: str, home: str, target: str) -> dict[str, Any]:
    """Return the `help` of the manifest; `home` is an `address`."""
    return {"description": description} | ({"link": home + target} if home else {})
