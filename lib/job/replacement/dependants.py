"""Containers that live in another one's network: an engine keeps its id, so they do not outlive its replacement."""

from __future__ import annotations

from lib.job.replacement.names import Part
from lib.job.work import Work


def dependants(work: Work, old: Part) -> list[str]:
    """Return the names of the containers that use the network of one that is replaced, which a warning tells."""
    mode = {f"container:{old.id}", f"container:{old.name}"}
    reply = work.engine.get("/containers/json", {"all": True}, query=("all",))
    found = reply.read(
        lambda told: [
            str(one["Names"][0]).removeprefix("/")
            for one in told
            if (one.get("HostConfig") or {}).get("NetworkMode") in mode
        ]
    )
    if found:
        work.warn(
            f"{', '.join(found)} use the network of {old.name}: make them anew, or they do not start again"
        )
    return found
