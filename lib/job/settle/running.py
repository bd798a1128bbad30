"""What a container was to do: start, stop, restart, take a signal, pause. The times of its state tell, then events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.job.run.container import Seen
from lib.job.settle.evidence import FORGOTTEN, Event, Evidence, evidence_since
from lib.job.settle.signals import KILL, number_of
from lib.job.settle.subject import by_event, of_container, the
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import ASK, GO_ON, REPEAT, Verdict, at, happened, not_happened, unknown, when
from lib.job.work import Work

_RUNS = ("running", "restarting", "paused")
_NO_POLICY = ("", "no")


def started(work: Work, tried: Tried) -> Verdict:
    """ContainerStart."""

    def judge(seen: Seen) -> Verdict:
        begun = when(seen.started)
        if begun >= tried.since:
            return happened(f"{seen.name} was started at {at(begun)}", the(seen))
        if seen.status in _RUNS:
            return not_happened(f"{seen.name} has been running since {at(begun)}", the(seen), then=GO_ON)
        return not_happened(f"{seen.name} is {seen.status}, and was not started since then", the(seen))

    return of_container(work, tried, "start", judge)


def stopped(work: Work, tried: Tried) -> Verdict:
    """ContainerStop, and ContainerKill with the signal that no program survives. Both may be sent again."""
    action = "stop" if tried.operation == "ContainerStop" else "kill"

    def judge(seen: Seen) -> Verdict:
        ended, runs = when(seen.finished), seen.status in _RUNS
        if not runs and ended >= tried.since:
            return happened(f"{seen.name} ended at {at(ended)}", the(seen))
        if not runs:
            return not_happened(f"{seen.name} was {seen.status} before", the(seen), then=GO_ON)
        return _still_runs(work, tried, seen, action)

    return of_container(work, tried, action, judge, gone=GO_ON)


def _still_runs(work: Work, tried: Tried, seen: Seen, action: str) -> Verdict:
    """A container that runs was stopped and started again, or is still being stopped, or nothing was done."""
    events = evidence_since(work.engine, tried.since)
    done = events.of("container", action, lambda event: event.id == seen.id)
    begun = when(seen.started)
    if done is not None and begun > done.time:
        proof = f"{seen.name} was stopped at {at(done.time)}, and started again at {at(begun)}"
        return happened(proof, the(seen), then=ASK)
    if begun >= tried.since and not events.complete:
        return unknown(f"{seen.name} was started at {at(begun)}, and {FORGOTTEN}", the(seen))
    return _undisturbed(events, seen, begun, then=REPEAT)


def restarted(work: Work, tried: Tried) -> Verdict:
    """ContainerRestart: a restart policy starts a container anew, too, but without the event of a restart."""

    def judge(seen: Seen) -> Verdict:
        events = evidence_since(work.engine, tried.since)
        found = events.of("container", "restart", lambda event: event.id == seen.id)
        if found is not None:
            return happened(f"An event of {seen.name} at {at(found.time)} tells of it (restart)", the(seen))
        begun = when(seen.started)
        if begun >= tried.since:
            return _started_somehow(work, seen, begun, complete=events.complete)
        if seen.status not in _RUNS:
            return not_happened(f"{seen.name} is {seen.status}, and was not started since then", the(seen))
        return _undisturbed(events, seen, begun, then=ASK)

    return of_container(work, tried, "restart", judge)


def _started_somehow(work: Work, seen: Seen, begun: int, *, complete: bool) -> Verdict:
    proof = f"{seen.name} was started at {at(begun)}"
    if complete:
        return not_happened(f"{proof}, and not by a restart", the(seen))
    if _policy(work, seen) in _NO_POLICY:
        return happened(proof, the(seen))
    return unknown(f"{proof}, perhaps by its restart policy, and {FORGOTTEN}", the(seen))


def _undisturbed(events: Evidence, seen: Seen, begun: int, *, then: str) -> Verdict:
    """A container that has run all the time: nothing was done, or the engine is still at it."""
    if (sent := events.of("container", "kill", lambda event: event.id == seen.id)) is not None:
        proof = f"{seen.name} was sent a signal at {at(sent.time)}, and still runs"
        return unknown(proof, the(seen), then=then)
    return not_happened(f"{seen.name} has been running since {at(begun)}", the(seen))


def _policy(work: Work, seen: Seen) -> str:
    def read(told: Mapping[str, Any]) -> str:
        return str((told["HostConfig"].get("RestartPolicy") or {}).get("Name") or "")

    return work.engine.get("/containers/{id}/json", {"id": seen.id}).read(read)


def killed(work: Work, tried: Tried) -> Verdict:
    """ContainerKill: what signals do that a program may survive, only an event tells."""
    number = number_of(tried.text("signal") or "KILL")
    if number == KILL:
        return stopped(work, tried)
    if number is None:
        return not_happened("signal is none that engines know", then=ASK)

    def fits(event: Event) -> bool:
        return event.says("signal") == str(number)

    return of_container(work, tried, "kill", lambda seen: by_event(work, tried, "kill", seen, fits))


def paused(work: Work, tried: Tried) -> Verdict:
    """ContainerPause and ContainerUnpause: the state has no time, so it is the state that counts, then events."""
    wanted = tried.operation == "ContainerPause"
    action = "pause" if wanted else "unpause"

    def judge(seen: Seen) -> Verdict:
        if (seen.status == "paused") == wanted and seen.status in _RUNS:
            return happened(f"{seen.name} is {seen.status}", the(seen))
        found = by_event(work, tried, action, seen)
        if found.outcome == "happened":
            return happened(f"{found.proof}; now it is {seen.status}", the(seen), then=ASK)
        proof = f"{seen.name} is {seen.status}"
        if found.outcome == "unknown":
            return unknown(f"{proof}, and {FORGOTTEN}", the(seen), then=REPEAT)
        return not_happened(proof, the(seen))

    return of_container(work, tried, action, judge)
