"""What was to be run by an exec: its record, and the event of its creation."""

from __future__ import annotations

from typing import Any

from lib.engine.errors import NoSuchOperation, NotFound
from lib.job.run.container import Seen
from lib.job.settle.evidence import FORGOTTEN, Event, evidence_since
from lib.job.settle.subject import of_container
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import REPEAT, Verdict, at, happened, not_happened, thing, unknown
from lib.job.work import Work


def prepared(work: Work, tried: Tried) -> Verdict:
    """ContainerExec: an event of the container with the words of the command. A repeat of it does no harm."""
    command = tried.body.get("Cmd")
    words = command if isinstance(command, list) else [command]
    wanted = "".join("".join(str(word) for word in words).split())

    def judge(seen: Seen) -> Verdict:
        def fits(event: Event) -> bool:
            return event.id == seen.id and "".join(event.action.partition(": ")[2].split()) == wanted

        events = evidence_since(work.engine, tried.since)
        found = events.of("container", "exec_create", fits)
        if found is not None:
            told = thing("exec", found.says("execID"), seen.name)
            return happened(f"The command was prepared in {seen.name} at {at(found.time)}", told)
        if events.complete:
            return not_happened(f"No such command was prepared in {seen.name} since then")
        return unknown(
            f"No event tells of it, and {FORGOTTEN}; to prepare a command runs nothing", then=REPEAT
        )

    return of_container(work, tried, "exec_create", judge)


def started(work: Work, tried: Tried) -> Verdict:
    """ExecStart: the record of the exec."""
    identity = tried.needed("id")
    try:
        reply = work.engine.get("/exec/{id}/json", {"id": identity})
    except NoSuchOperation:
        raise
    except NotFound:
        return _ended(work, tried, identity)

    def read(told: Any) -> tuple[bool, Any, int]:
        code = told.get("ExitCode")
        return bool(told["Running"]), None if code is None else int(code), int(told.get("Pid") or 0)

    running, code, pid = reply.read(read)
    seen = thing("exec", identity, "")
    if running:
        return happened("The command runs", seen)
    if code is None:
        return not_happened("The command was not started", seen)
    if not pid and not code:
        return unknown("The engine does not tell whether the command was started", seen)
    if not pid:
        return happened(f"The command was started, and could not run: code {code}", seen)
    return happened(f"The command has ended with code {code}", seen)


def _ended(work: Work, tried: Tried, identity: str) -> Verdict:
    """A command whose record is gone: some minutes after its end, or with its container."""
    events = evidence_since(work.engine, tried.since)
    for action in ("exec_die", "exec_start"):
        found = events.of("container", action, lambda event: event.says("execID") == identity)
        if found is not None:
            text = f"An event of {at(found.time)} tells of it ({action})"
            return happened(text, thing("exec", identity, found.says("name")))
    return unknown("The engine no longer knows this command: it has ended long since, or its container has")
