"""What was to be run by an exec: its record, and the event of its creation."""

from __future__ import annotations

from typing import Any

from lib.engine.errors import NoSuchOperation, NotFound
from lib.job.run.container import look
from lib.job.settle.evidence import Event, evidence_since
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import Verdict, at, happened, not_happened, thing, unknown
from lib.job.work import Work


def prepared(work: Work, tried: Tried) -> Verdict:
    """ContainerExec: an event of the container with the words of the command. A repeat of it does no harm."""
    seen = look(work, tried.needed("id"))
    if seen is None:
        return unknown(f"There is no container {tried.text('id')} any more")
    command = tried.body.get("Cmd")
    words = command if isinstance(command, list) else [command]
    wanted = "".join("".join(str(word) for word in words).split())

    def fits(event: Event) -> bool:
        return event.id == seen.id and "".join(event.action.partition(": ")[2].split()) == wanted

    events = evidence_since(work.engine, tried.since)
    found = events.of("container", "exec_create", fits)
    if found is not None:
        told = thing("exec", found.says("execID"), seen.name)
        return happened(f"The command was prepared in {seen.name} at {at(found.time)}", told)
    if events.complete:
        return not_happened(f"No such command was prepared in {seen.name} since then")
    proof = "The engine does not remember so far back; to prepare a command runs nothing"
    return unknown(proof, then="repeat")


def started(work: Work, tried: Tried) -> Verdict:
    """ExecStart: the record of the exec."""
    identity = tried.needed("id")
    try:
        reply = work.engine.get("/exec/{id}/json", {"id": identity})
    except NoSuchOperation:
        raise
    except NotFound:
        return unknown(
            "The engine no longer knows this command: it has ended some minutes ago, or its container has"
        )

    def read(told: Any) -> tuple[bool, Any, int]:
        code = told.get("ExitCode")
        return bool(told["Running"]), None if code is None else int(code), int(told.get("Pid") or 0)

    running, code, pid = reply.read(read)
    seen = thing("exec", identity, "")
    if running:
        return happened("The command runs", seen)
    if code is None:
        return not_happened("The command was not started", seen)
    if not pid:
        return happened(f"The command was started, and could not run: code {code}", seen)
    return happened(f"The command has ended with code {code}", seen)
