"""What a service names by the ids of other objects: networks, secrets and configs, which an input gives by name.

A secret or config of a name that has versions (EnsureSecret) is its newest one, in a file without the version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lib.engine.errors import BadInput, NotFound
from lib.engine.request.scalar import scalar
from lib.job.errors import Ambiguous
from lib.job.networks.network import of_name as networks_of
from lib.job.service.lists import Tree, entries
from lib.job.vault.kind import CONFIG, SECRET, Kind, of_name, versions_of
from lib.job.work import Work

_MODE = re.compile(r"0?[0-7]{3}")
_FILE = {"uid": "UID", "gid": "GID"}


def networks(work: Work) -> list[Tree] | None:
    """Return the networks of an input as entries of TaskTemplate.Networks, None where it names none."""
    given = entries(work.fields, "networks", lambda text, _: {"name": text})
    return None if given is None else [_network(work, one, f"networks[{at}]") for at, one in enumerate(given)]


def kept_objects(work: Work, kind: Kind) -> list[Tree] | None:
    """Return the secrets or configs of an input as a service has them, None where it names none."""
    name = f"{kind.name}s"
    given = entries(work.fields, name, lambda text, _: {"name": text})
    return (
        None if given is None else [_kept(work, kind, one, f"{name}[{at}]") for at, one in enumerate(given)]
    )


def secrets(work: Work) -> list[Tree] | None:
    """Return the secrets of an input."""
    return kept_objects(work, SECRET)


def configs(work: Work) -> list[Tree] | None:
    """Return the configs of an input."""
    return kept_objects(work, CONFIG)


def reference(kind: Kind, identity: str, name: str, file: Mapping[str, Any]) -> Tree:
    """Return how a service names a secret or config that is a file in its tasks."""
    title = kind.name.title()
    return {f"{title}ID": identity, f"{title}Name": name, "File": dict(file)}


def _network(work: Work, given: Tree, field: str) -> Tree:
    name = _name(given, field, {"name", "aliases"})
    aliases = given.get("aliases") or []
    if not isinstance(aliases, list):
        raise BadInput(f"{field}.aliases must be a list", field=field)
    found = networks_of(work.engine, name)
    wide = [one for one in found if one.is_swarm_wide] or found
    if not wide:
        raise NotFound(f"{field}: there is no network {name}", hint="EnsureNetwork makes it")
    if len(wide) > 1:
        raise Ambiguous(
            f"{field}: {len(wide)} networks are named {name}: {', '.join(one.short for one in wide)}"
        )
    told: Tree = {"Target": wide[0].id}
    return told | ({"Aliases": [scalar(one, field) for one in aliases]} if aliases else {})


def _kept(work: Work, kind: Kind, given: Tree, field: str) -> Tree:
    name = _name(given, field, {"name", "file", "mode", *_FILE})
    found = of_name(work.engine, kind, name) or next(reversed(versions_of(work.engine, kind, name)), None)
    if found is None:
        raise NotFound(f"{field}: there is no {kind.name} {name}", hint=f"Ensure{kind.name.title()} makes it")
    mode = str(given.get("mode") or "0444")
    if not _MODE.fullmatch(mode):
        raise BadInput(
            f"{field}.mode is no mode of a file", field=field, hint="Three octal digits, as in 0440"
        )
    ids = {key: scalar(given.get(part, 0), field) for part, key in _FILE.items()}
    file = scalar(given.get("file") or name, field)
    return reference(kind, found.id, found.name, {"Name": file, **ids, "Mode": int(mode, 8)})


def _name(given: Tree, field: str, known: set[str]) -> str:
    if unknown := sorted(given.keys() - known):
        raise BadInput(
            f"{field} has no {unknown[0][:50]}", field=field, hint=f"It has {', '.join(sorted(known))}"
        )
    name = scalar(given.get("name") or "", field).strip()
    if not name:
        raise BadInput(f"{field} has no name", field=field)
    return name
