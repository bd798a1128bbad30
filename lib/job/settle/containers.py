"""What was to be done to a container: the times of its state, its settings, and events for what leaves no trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.errors import NoSuchOperation, NotFound
from lib.job.run.container import Seen, look
from lib.job.settle.evidence import Event, evidence_since
from lib.job.settle.sameness import covers
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import ASK, GO_ON, Verdict, at, happened, not_happened, thing, unknown, when
from lib.job.work import Work

_RUNS = ("running", "restarting", "paused")
_NO_SIGNAL = ("", "KILL", "TERM", "9", "15")


def started(work: Work, tried: Tried) -> Verdict:
    """ContainerStart."""
    seen = look(work, tried.needed("id"))
    if seen is None:
        return _gone(tried)
    told, begun = _thing(seen), when(seen.started)
    if begun >= tried.since:
        return happened(f"{seen.name} was started at {at(begun)}", told)
    if seen.status in _RUNS:
        return not_happened(f"{seen.name} has been running since {at(begun)}", told, then=GO_ON)
    return not_happened(f"{seen.name} is {seen.status}, and was not started since then", told)


def restarted(work: Work, tried: Tried) -> Verdict:
    """ContainerRestart."""
    seen = look(work, tried.needed("id"))
    if seen is None:
        return _gone(tried)
    begun = when(seen.started)
    if begun >= tried.since:
        return happened(f"{seen.name} was started at {at(begun)}", _thing(seen))
    if seen.status not in _RUNS and when(seen.finished) >= tried.since:
        proof = f"{seen.name} was stopped at {at(when(seen.finished))} and not started again"
        return unknown(proof, _thing(seen))
    return not_happened(f"{seen.name} was not started since then", _thing(seen))


def stopped(work: Work, tried: Tried) -> Verdict:
    """ContainerStop, and ContainerKill with a signal that ends a program."""
    seen = look(work, tried.needed("id"))
    if seen is None:
        return _gone(tried)
    told, ended = _thing(seen), when(seen.finished)
    if ended >= tried.since:
        return happened(f"{seen.name} ended at {at(ended)}", told)
    if seen.status in _RUNS:
        return not_happened(f"{seen.name} has been running since {at(when(seen.started))}", told)
    return not_happened(f"{seen.name} was {seen.status} before", told, then=GO_ON)


def killed(work: Work, tried: Tried) -> Verdict:
    """ContainerKill: what other signals do, only an event tells."""
    signal = tried.text("signal").upper().removeprefix("SIG")
    if signal in _NO_SIGNAL:
        return stopped(work, tried)
    return by_event(work, tried, "kill")


def paused(work: Work, tried: Tried) -> Verdict:
    """ContainerPause and ContainerUnpause: the state has no time, so it is the state that counts."""
    seen = look(work, tried.needed("id"))
    if seen is None:
        return _gone(tried)
    wanted = tried.operation == "ContainerPause"
    if (seen.status == "paused") == wanted and seen.status in _RUNS:
        return happened(f"{seen.name} is {seen.status}", _thing(seen))
    return not_happened(f"{seen.name} is {seen.status}", _thing(seen))


def renamed(work: Work, tried: Tried) -> Verdict:
    """ContainerRename."""
    name, before = tried.needed("name").removeprefix("/"), tried.needed("id")
    new, old = look(work, name), look(work, before)
    if new is not None and new.name == name and (old is None or old.id == new.id):
        return happened(f"A container is called {name}, and none {before}", _thing(new))
    if old is not None:
        then = ASK if new is not None and new.name == name else "repeat"
        return not_happened(f"{old.name} still has that name", _thing(old), then=then)
    return _gone(tried)


def updated(work: Work, tried: Tried) -> Verdict:
    """ContainerUpdate: the settings that it gives."""
    identity = tried.needed("id")
    try:
        reply = work.engine.get("/containers/{id}/json", {"id": identity})
    except NoSuchOperation:
        raise
    except NotFound:
        return _gone(tried)
    seen, host = reply.read(lambda told: (Seen.of(told), dict(told["HostConfig"])))
    if covers(tried.body, host):
        return happened(f"{seen.name} has the settings of the input", _thing(seen))
    return not_happened(f"{seen.name} has not the settings of the input", _thing(seen))


def connected(work: Work, tried: Tried) -> Verdict:
    """NetworkConnect and NetworkDisconnect: whether the container is in the network."""
    network, target = tried.needed("id"), tried.in_body("Container")
    wanted = tried.operation == "NetworkConnect"

    def ends(told: Mapping[str, Any]) -> list[tuple[str, str]]:
        networks = (told.get("NetworkSettings") or {}).get("Networks") or {}
        return [(str(name), str((end or {}).get("NetworkID") or "")) for name, end in networks.items()]

    try:
        reply = work.engine.get("/containers/{id}/json", {"id": target or "-"})
    except NoSuchOperation:
        raise
    except NotFound:
        return unknown(f"There is no container {target}", then=ASK)
    seen = reply.read(Seen.of)
    is_in = any(
        network in (name, identity) or identity.startswith(network) for name, identity in reply.read(ends)
    )
    proof = f"{seen.name} is {'in' if is_in else 'not in'} the network {network}"
    return happened(proof, _thing(seen)) if is_in == wanted else not_happened(proof, _thing(seen))


def filled(work: Work, tried: Tried) -> Verdict:
    """PutContainerArchive: an event tells of an archive that was taken in."""
    return by_event(work, tried, "extract-to-dir")


def by_event(work: Work, tried: Tried, action: str) -> Verdict:
    """Settle by the events of a container alone."""
    seen = look(work, tried.needed("id"))
    if seen is None:
        return _gone(tried)
    events = evidence_since(work.engine, tried.since)
    found = events.of("container", action, lambda event: event.id == seen.id and _same_signal(tried, event))
    if found is not None:
        return happened(f"An event of {at(found.time)} tells of it ({action})", _thing(seen))
    if events.complete:
        return not_happened(f"The engine has no event of it since then ({action})", _thing(seen))
    return unknown(f"The engine does not remember so far back ({action})", _thing(seen))


def _same_signal(tried: Tried, event: Event) -> bool:
    wanted, told = tried.text("signal"), event.says("signal")
    return not wanted or not wanted.isdecimal() or not told.isdecimal() or wanted == told


def _gone(tried: Tried) -> Verdict:
    return unknown(f"There is no container {tried.text('id')} any more")


def _thing(seen: Seen) -> Any:
    return thing("container", seen.id, seen.name)
