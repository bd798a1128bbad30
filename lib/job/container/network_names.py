"""The networks of a wish by their names.

An inspect tells names alone, so a network that is given by its id would be connected for a second time.
"""

from __future__ import annotations

import re
from dataclasses import replace

from lib.engine.errors import NoSuchOperation, NotFound, Refused
from lib.job.container.wish import Tree, Wish
from lib.job.work import Work

_BUILT_IN = ("default", "bridge", "host", "none")
_ID = re.compile("[0-9a-f]{12,64}")


def by_name(work: Work, wish: Wish) -> Wish:
    """Return the wish with the names of networks that it gives by id; one that is not there stays as it is."""
    host = dict(wish.body.get("HostConfig") or {})
    mode = str(host.get("NetworkMode") or "")
    names = {one: _name(work, one) or one for one in (*wish.networks, mode) if _ID.fullmatch(one)}
    if all(one == name for one, name in names.items()):
        return wish
    networks: dict[str, Tree] = {}
    for one, end in wish.networks.items():
        name = names.get(one, one)
        networks[name] = {**networks.get(name, {}), **end}
    if mode in names:
        host["NetworkMode"] = names[mode]
    return replace(wish, networks=networks, body={**wish.body, "HostConfig": host})


def must_exist(work: Work, wish: Wish) -> None:
    """Raise NotFound where a network of the wish is missing: a container is made without it, and cannot be started."""
    mode = str((wish.body.get("HostConfig") or {}).get("NetworkMode") or "")
    for name in dict.fromkeys((mode, *wish.networks)):
        if name not in ("", *_BUILT_IN) and not name.startswith("container:") and _name(work, name) is None:
            raise NotFound(f"No such network: {name}", hint="EnsureNetwork makes it")


def _name(work: Work, identity: str) -> str | None:
    """Return the name of a network that is given by name or id, None where there is none.

    Who may not look at networks may still use them: then it is taken for one that is there.
    """
    try:
        reply = work.engine.get("/networks/{id}", {"id": identity})
    except NoSuchOperation:
        raise
    except NotFound:
        return None
    except Refused:
        return identity
    return reply.read(lambda told: str(told["Name"]))
