"""Actions that run commands in containers."""

from __future__ import annotations

from typing import Any

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.attach.session import END_OF_INPUT, Dialogue, upgrade
from lib.engine.errors import Conflict
from lib.engine.request.path import expand
from lib.engine.request.process_input import check_exec, exec_input
from lib.engine.request.query import body_object, whole

_AGAIN = "ExecInspect tells how it ended; prepare another one with ContainerExec"


@action("ContainerExec")
def container_exec(engine: Engine, fields: Fields) -> Answer:
    """Prepare a command in a container: POST /containers/{id}/exec. By default its output is attached."""
    body = {"AttachStdout": True, "AttachStderr": True, **body_object(fields)}
    return engine.post("/containers/{id}/exec", fields, body=body)


@action("ExecStart", feeds_stdin="stdin")
def exec_start(engine: Engine, fields: Fields) -> Answer:
    """Run a prepared command: POST /exec/{id}/start. Returns its output, with the exit code from ExecInspect."""
    wish = body_object(fields)
    if wish.get("Detach"):
        check_exec(fields, {}, detached=True)
        engine.post("/exec/{id}/start", fields, body=wish)
        return _outcome(engine, fields)
    prepared = engine.get("/exec/{id}/json", fields).read(_prepared)
    if prepared.get("Pid"):  # a second start: engines would answer 200 and set the exit code to 126
        raise Conflict(
            "This command was started before",
            method="POST",
            path=expand("/exec/{id}/start", fields),
            hint=_AGAIN,
        )
    check_exec(fields, prepared, detached=False)
    tty = bool(prepared["ProcessConfig"].get("tty"))
    connection = upgrade(engine, "/exec/{id}/start", fields, body={"Detach": False, **wish, "Tty": tty})
    final_input = END_OF_INPUT if tty else None
    stdin = exec_input(fields, prepared)
    return Dialogue(connection, tty, stdin, lambda: _outcome(engine, fields), final_input)


def _outcome(engine: Engine, fields: Fields) -> dict[str, Any]:
    reply = engine.get("/exec/{id}/json", fields)
    return reply.read(lambda told: {"exitCode": told.get("ExitCode"), "running": told["Running"]})


def _prepared(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "ProcessConfig": dict(told["ProcessConfig"])}


@action("ExecResize")
def exec_resize(engine: Engine, fields: Fields) -> Answer:
    """Resize the terminal of a command: POST /exec/{id}/resize."""
    return engine.post("/exec/{id}/resize", fields, query=(whole("h"), whole("w")))


@action("ExecInspect")
def exec_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect a command: GET /exec/{id}/json."""
    return engine.get("/exec/{id}/json", fields)
