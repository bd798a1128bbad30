"""Secrets and configs as the engine tells them: both have the same calls, and a config shows its content.

A swarm takes names that differ in upper and lower case alone for one name.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine import Engine
from lib.engine.errors import NoSuchOperation, NotFound
from lib.engine.expected import expected_form
from lib.engine.request.query import filters
from lib.job.vault.mark import MARK, fits


@dataclass(frozen=True, slots=True)
class Kind:
    """One of both; `most` are the bytes that a content may have. `part` names the list of them in a service."""

    name: str
    part: str
    most: int
    readable: bool

    @property
    def list(self) -> str:
        """The path of the list."""
        return f"/{self.name}s"

    @property
    def one(self) -> str:
        """The path of one of them."""
        return f"/{self.name}s/{{id}}"

    @property
    def create(self) -> str:
        """The path that makes one."""
        return f"/{self.name}s/create"

    @property
    def update(self) -> str:
        """The path that changes labels."""
        return f"/{self.name}s/{{id}}/update"


SECRET = Kind("secret", "Secrets", 500 * 1024 - 1, readable=False)
CONFIG = Kind("config", "Configs", 1000 * 1024 - 1, readable=True)


@dataclass(frozen=True)
class Kept:
    """A secret or config that is there; `content` is known of configs alone, `version` is 0 without one."""

    id: str
    name: str
    labels: Mapping[str, str]
    templating: bool
    content: bytes | None
    version: int = 0

    @classmethod
    def of(cls, told: Mapping[str, Any], version: int = 0) -> Kept:
        """Read an entry of a list."""
        spec = told["Spec"]
        labels = {str(key): str(value) for key, value in (spec.get("Labels") or {}).items()}
        data = spec.get("Data")
        content = base64.b64decode(data, validate=True) if isinstance(data, str) else None
        return cls(str(told["ID"]), str(spec["Name"]), labels, bool(spec.get("Templating")), content, version)

    def has(self, content: bytes) -> bool | None:
        """Return whether it has a content, None where nothing tells."""
        return fits(self.labels.get(MARK, ""), content) if self.content is None else self.content == content


def of_name(engine: Engine, kind: Kind, name: str) -> Kept | None:
    """Return the one of a name, None where there is none; NoManager where the engine has no part in a swarm."""
    found = [told for told in _listed(engine, kind, name) if _name(told).lower() == name.lower()]
    with expected_form():
        return Kept.of(found[0]) if found else None


def versions_of(engine: Engine, kind: Kind, name: str) -> list[Kept]:
    """Return all versions NAME.v1, NAME.v2 ... that are there, the oldest first."""
    form = re.compile(rf"{re.escape(name)}\.v([1-9][0-9]{{0,8}})", re.IGNORECASE)
    matches = [(told, form.fullmatch(_name(told))) for told in _listed(engine, kind, f"{name}.v")]
    with expected_form():
        found = [Kept.of(told, int(match[1])) for told, match in matches if match]
    return sorted(found, key=lambda kept: kept.version)


def is_there(engine: Engine, kind: Kind, identity: str) -> bool:
    """Return whether the one with an id is there."""
    try:
        engine.get(kind.one, {"id": identity})
    except NoSuchOperation:
        raise
    except NotFound:
        return False
    return True


def _listed(engine: Engine, kind: Kind, name: str) -> list[Mapping[str, Any]]:
    """The engine's filter finds beginnings of names too."""
    reply = engine.get(kind.list, {"filters": {"name": [name]}}, query=(filters(),))
    return reply.read(lambda told: [{**one, "Spec": {**one["Spec"]}} for one in told[0:]])


@expected_form()
def _name(told: Mapping[str, Any]) -> str:
    return str(told["Spec"]["Name"])
