"""What was to be changed of a container: its name, its settings, its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.job.run.container import Seen, look
from lib.job.settle.evidence import FORGOTTEN, evidence_since
from lib.job.settle.sameness import covers
from lib.job.settle.subject import by_event, of_container, the
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import ASK, GO_ON, Verdict, at, happened, not_happened, unknown
from lib.job.work import Work


def renamed(work: Work, tried: Tried) -> Verdict:
    """ContainerRename: the old name may belong to another container by now, so its event counts before the names."""
    name, before = tried.needed("name").removeprefix("/"), tried.needed("id").removeprefix("/")
    new = look(work, name)
    new = new if new is not None and new.name == name else None
    events = evidence_since(work.engine, tried.since)
    found = events.of(
        "container",
        "rename",
        lambda event: (
            event.says("name") == name
            and (event.says("oldName").removeprefix("/") == before or event.is_of(before))
        ),
    )
    if found is not None:
        then = GO_ON if new is not None and new.id == found.id else ASK
        return happened(
            f"{before} was renamed {name} at {at(found.time)}", the(new) if new else {}, then=then
        )
    old = look(work, before)
    if old is not None and old.name == name:
        return happened(f"{before} is called {name}", the(old))
    if old is not None:
        return not_happened(f"{old.name} still has that name", the(old), then=ASK if new else "repeat")
    if new is not None and not events.complete:
        proof = f"A container is called {name}, and none {before}, but {FORGOTTEN}: it may be another one"
        return unknown(proof, the(new))
    return unknown(f"There is no container {before} any more, or it is on another engine")


def updated(work: Work, tried: Tried) -> Verdict:
    """ContainerUpdate: its event, and the settings that it gives; what is empty there means to leave it."""

    def judge(seen: Seen) -> Verdict:
        def host(told: Mapping[str, Any]) -> dict[str, Any]:
            return dict(told["HostConfig"])

        settings = work.engine.get("/containers/{id}/json", {"id": seen.id}).read(host)
        is_so = covers(_given(tried.body), settings)
        found = by_event(work, tried, "update", seen)
        if found.outcome == "happened":
            return found if is_so else happened(f"{found.proof}, and others since then", the(seen), then=ASK)
        if is_so and found.outcome == "unknown":
            return happened(f"{seen.name} has the settings of the input", the(seen))
        proof = f"{seen.name} {'had' if is_so else 'has not'} the settings of the input"
        return not_happened(
            f"{proof}{' before' if is_so else ''}", the(seen), then=GO_ON if is_so else "repeat"
        )

    return of_container(work, tried, "update", judge)


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an update changes."""
    given = {name: _given(value) if isinstance(value, Mapping) else value for name, value in body.items()}
    return {name: value for name, value in given.items() if value not in (None, "", 0, [], {})}


def filled(work: Work, tried: Tried) -> Verdict:
    """PutContainerArchive: an event tells of an archive that was unpacked to its end."""

    def judge(seen: Seen) -> Verdict:
        found = by_event(work, tried, "extract-to-dir", seen)
        if found.outcome != "didNotHappen":
            return found
        return not_happened(f"{found.proof}; some of the files may be there", the(seen))

    return of_container(work, tried, "extract-to-dir", judge)
