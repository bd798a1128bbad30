"""One command in one container, from its preparation to its exit code; at most once for a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.attach.session import upgrade
from lib.engine.errors import Conflict, EngineError, OutcomeUnknown
from lib.engine.request.upload import Upload
from lib.job.command.mark import Exec, detach_keys, earlier, look
from lib.job.errors import NotSettled, NotStarted
from lib.job.run.conversation import Conversation
from lib.job.run.tail import Tail
from lib.job.settings import RUN_AGAIN
from lib.job.targets import Target
from lib.job.work import Work

CREATE, START = ("POST", "/containers/{id}/exec"), ("POST", "/exec/{id}/start")
BROKEN_OFF = 126
"""What engines tell of a command that wrote something for a client that was gone (20.10), whatever its code was."""
AROUND = 16 * 1024
"""Bytes of a message for everything but output."""


@dataclass(frozen=True, slots=True)
class Command:
    """`body` is that of ContainerExec; `source` opens the input anew for each container, None for none."""

    body: Mapping[str, Any]
    source: Callable[[], Upload] | None
    ok_codes: frozenset[int]
    looks_back: bool
    """Whether an earlier delivery may have run it."""


def executed(work: Work, target: Target, command: Command, room: int) -> dict[str, Any]:
    """Return {container, exitCode, ok, stdout, stderr, text, repeat, outputLost}; `room`: bytes for the output.

    Raises Conflict where the container does not run, NotStarted where the command cannot be, NotSettled where an
    earlier delivery may have run it, and TimeIsUp at the deadline: then the command goes on.
    """
    _must_run(work, target)
    found = earlier(work, target.id) if command.looks_back else None
    if found is None and work.run.redelivered and work.settings.on_repeat != RUN_AGAIN:
        raise NotSettled(
            f"The command may have run in {target.name} already: the message came before, and the step died",
            hint="Look at what it does. Where a second run does no harm, set onRepeat to run it again",
        )
    if found is not None and found.never_ran:
        found = None  # so it is prepared anew, and the engine says why where it cannot be started
    kept = Tail(work.settings.max_bytes)
    lost = found is not None and (found.running or found.is_over)
    talk = None
    if found is None or not lost:
        found = found or _prepared(work, target, command)
        talk = _begun(work, found, command, kept)
        lost = talk is None
    ended = _over(work, target, found.id)
    if talk is not None:
        talk.ended()
    told = kept.body(room)
    code = ended.code
    if lost and code == BROKEN_OFF:
        raise NotSettled(
            f"The command ran in {target.name}, and its exit code is not known: its output could not be handed on",
            hint="Look at what it does. An engine of 20.10 tells 126 then, whatever the code was",
        )
    if ended.never_ran and not lost:  # engines write their reason where output would be
        reason = (told["stdout"] or told["stderr"]).strip()[:2000]
        raise NotStarted(f"The command was not started in {target.name}: {reason}", exitCode=code)
    return {
        "container": target.output,
        "exitCode": code,
        "ok": code in command.ok_codes,
        **told,
        "repeat": found is not None and (lost or command.looks_back),
        "outputLost": lost,
    }


def _must_run(work: Work, target: Target) -> None:
    reply = work.engine.get("/containers/{id}/json", {"id": target.id})
    status, paused = reply.read(
        lambda told: (str(told["State"]["Status"]), bool(told["State"].get("Paused")))
    )
    if status != "running" or paused:
        raise Conflict(
            f"{target.name} is {'paused' if paused else status}",
            hint="Commands run in containers that are running",
        )


def _prepared(work: Work, target: Target, command: Command) -> Exec:
    body = {**command.body, "DetachKeys": detach_keys(work.run)}
    try:
        reply = work.engine.post(CREATE[1], {"id": target.id}, body=body)
        identity = reply.read(lambda told: str(told["Id"]))
    except OutcomeUnknown:
        if (made := earlier(work, target.id)) is None:
            raise
        return made
    return Exec(identity, running=False, code=None, pid=0, keys="")


def _begun(work: Work, prepared: Exec, command: Command, kept: Tail) -> Conversation | None:
    """Start a command and return the conversation with it; None where its answer is lost and it runs."""
    try:
        connection = upgrade(work.engine, START[1], {"id": prepared.id}, body={"Detach": False, "Tty": False})
    except (OutcomeUnknown, Conflict):
        seen = look(work, prepared.id)
        if seen is None or not (seen.running or seen.is_over):
            raise
        return None
    talk = Conversation(work, connection, command.source() if command.source else None, kept)
    talk.begin()
    return talk


def _over(work: Work, target: Target, identity: str) -> Exec:
    """Return the command once it has ended."""

    def again() -> Exec:
        found = look(work, identity)
        if found is None:
            raise NotSettled(
                f"The engine does not remember the command in {target.name} any more",
                hint="The container was started anew or removed meanwhile",
            )
        return found

    def late(_: Exec) -> tuple[str, dict[str, Any]]:
        text = f"The command in {target.name} still runs after {work.settings.max_seconds:g} s; it goes on"
        return text, {"container": target.output}

    return work.until(again, lambda found: found.is_over, late)


def failure(target: Target, error: EngineError) -> dict[str, Any]:
    """Return the result for a container of several in which the command could not be run."""
    return {
        "container": target.output,
        "ok": False,
        "error": {"name": type(error).__name__, "message": str(error)},
    }
