"""RunCommand: one command in one container or in many, so many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lib.action.input.uploads import input_of
from lib.engine.errors import BadInput, EngineError, NotFound
from lib.engine.request.query import filters
from lib.engine.request.scalar import scalar
from lib.engine.request.upload import Upload
from lib.engine.text import parsed, shown
from lib.job.command.execution import AROUND, CREATE, START, Command, executed, failure
from lib.job.errors import BadExit, NotReached
from lib.job.run.command import words
from lib.job.settings import EMIT
from lib.job.targets import Target, targets_of, words_of
from lib.job.waiting import TimeIsUp
from lib.job.work import Work

_LAST = 1000


def commanded(work: Work) -> dict[str, Any]:
    """Return the output of RunCommand: flat for `target`, `results` and `failed` for `targets`."""
    one = work.fields.get("target") is not None
    command = _command(work)
    work.permit(CREATE, START)
    targets = targets_of(work.engine, work.fields)
    if not one:
        _elsewhere(work)
        if not targets:
            raise NotFound("No container matches targets", hint="Nothing was run")
    chosen = [target for target in targets if work.will("run", "command", target.name)]
    if work.settings.dry_run:
        return (
            {"container": targets[0].output}
            if one
            else {"results": [{"container": t.output} for t in targets]}
        )
    if one:
        return _single(work, chosen[0], command)
    return _several(work, chosen, command)


def _single(work: Work, target: Target, command: Command) -> dict[str, Any]:
    try:
        told = executed(work, target, command, work.context.emit.room - AROUND)
    except (
        TimeIsUp
    ) as late:  # the message does not come back: whether the command had ended could be forgotten then
        if work.settings.when_time_is_up == EMIT:
            raise
        raise NotReached(late.message, hint=late.hint, **late.details) from late
    if not told["ok"] and work.settings.bad_exit != EMIT:
        last = (told["stderr"] or told["stdout"]).strip()[-_LAST:]
        text = f"The command in {target.name} ended with code {told['exitCode']}."
        raise BadExit(
            f"{text} Its last lines: {last}" if last else text, exitCode=told["exitCode"], stderr=last
        )
    return told


def _several(work: Work, targets: list[Target], command: Command) -> dict[str, Any]:
    stop, room = threading.Event(), (work.context.emit.room - AROUND) // len(targets)
    stops = bool(work.fields.get("stopAtFirstFailure"))

    def run(target: Target) -> dict[str, Any] | None:
        if stop.is_set():
            return None
        try:
            told = executed(work, target, command, room)
        except TimeIsUp as late:  # the others go on to their own ends
            told = failure(target, NotReached(late.message))
        except EngineError as error:
            told = failure(target, error)
        if stops and not told["ok"]:
            stop.set()
        return told

    with ThreadPoolExecutor(int(work.fields.get("parallel") or 1), "run-command") as pool:
        found = list(pool.map(run, targets))
    results = [told for told in found if told is not None]
    bad = [told for told in results if not told["ok"]]
    if bad and work.settings.bad_exit != EMIT:
        names = ", ".join(str(told["container"]["name"]) for told in bad[:10])
        text = f"The command failed in {len(bad)} of {len(targets)} containers: {names}"
        raise BadExit(text, hint="badExit emit hands all results on", results=results)
    return {"results": results, "failed": len(bad), "skipped": len(targets) - len(results)}


def _command(work: Work) -> Command:
    """Read the input; raises BadInput."""
    fields = work.fields
    cmd = words(fields.get("command"), "command", work.warn)
    if cmd is None:
        raise BadInput("command is empty", field="command")
    env = parsed(fields.get("env") or {}, "env")
    if not isinstance(env, dict):
        raise BadInput(f"env must be an object, not {shown(env)}", field="env")
    has_input = any(fields.get(name) is not None for name in ("stdinText", "stdinAttachment"))
    body: dict[str, Any] = {
        "Cmd": cmd,
        "AttachStdin": has_input,
        "AttachStdout": True,
        "AttachStderr": True,
        "Env": [f"{name}={scalar(value, 'env')}" for name, value in env.items() if value is not None],
        "WorkingDir": fields.get("workingDir"),
        "User": None if fields.get("user") is None else scalar(fields["user"], "user"),
    }
    codes = frozenset(int(code) for code in parsed(fields.get("okCodes") or [0], "okCodes"))
    looks_back = work.run.repeated or fields.get("idempotencyKey") is not None
    source = _source(work) if has_input else None
    return Command(
        {name: value for name, value in body.items() if value not in (None, [])}, source, codes, looks_back
    )


def _source(work: Work) -> Callable[[], Upload]:
    def opened() -> Upload:
        upload = input_of(work.context, work.message, work.fields, "stdinText")
        if upload is None:
            raise BadInput("There is no input to send", field="stdinText")
        return upload

    return opened


def _elsewhere(work: Work) -> None:
    """Warn of tasks of a service on other nodes: an engine reaches its own containers only (moby/moby#27552)."""
    selection = work.fields.get("targets")
    services = words_of(selection, "service") if isinstance(selection, Mapping) else ()
    if not services:
        return
    query = {"filters": {"service": list(services), "desired-state": ["running"]}}
    try:
        own = work.engine.get("/info").read(lambda told: str(told["Swarm"]["NodeID"]))
        tasks = work.engine.get("/tasks", query, query=(filters(),))
        nodes = tasks.read(lambda told: sorted({str(one.get("NodeID") or "") for one in told} - {own, ""}))
    except EngineError:  # no manager, or no such service: the containers that are here say enough
        return
    if nodes:
        work.warn(
            f"Tasks on other nodes are not reached: {', '.join(nodes[:10])}. Ask the engines of these nodes"
        )
