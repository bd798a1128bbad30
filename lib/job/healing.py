"""HealContainers: containers that are sick are started anew, so often an hour, and what they said is kept.

Nothing is remembered between two messages. A container that was started anew is not sick any more, so a message that
comes again leaves it alone; how often that happened within the hour is in the engine's events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib.engine.answer.limits import Limits, bounded, record_bytes
from lib.engine.errors import EngineError, NoSuchOperation, NotFound
from lib.engine.request.query import filters, seconds
from lib.engine.request.times import SECOND, instant
from lib.job.errors import Interrupted
from lib.job.replacement.redeploy import redeployed
from lib.job.replacement.verdict import judged
from lib.job.states import State
from lib.job.targets import Target, listed, selected, selection_of
from lib.job.work import Work

UNHEALTHY, RESTARTING, EXITED = "unhealthy", "restarting", "exited"
RESTART, REDEPLOY, REPORT = "restart", "redeploy", "report"
CALLS = (("POST", "/containers/{id}/restart"),)
_HOUR = 3600
_LONGEST = 2_000
_CHECKS = 5
_RING = Limits(max_bytes=8 * 1024 * 1024, max_items=300, idle_seconds=10, max_seconds=30)
Tree = dict[str, Any]


def healed(work: Work) -> Tree:
    """Return the output of HealContainers: `results` of the sick ones, `skipped` with reasons."""
    when = tuple(work.fields.get("when") or (UNHEALTHY,))
    action = str(work.fields.get("action") or RESTART)
    if action != REPORT:
        work.permit(*CALLS)
    sick, skipped = [], []
    for target in _targets(work):
        told = _inspected(work, target.id)
        if told is None or not (why := _sick(told, when)):
            continue
        if told["State"].get("Paused"):  # a paused one keeps the health that it had
            skipped.append({"name": target.name, "reason": "it is paused"})
        else:
            sick.append((target, why))
    sick = _still(work, sick, when)
    results = [_one(work, target, why, action) for target, why in sick]
    bad = sum(not result["reached"] for result in results)
    return {"results": results, "skipped": skipped, "failed": bad}


def _targets(work: Work) -> list[Target]:
    selection = selection_of(work.fields)
    return listed(work.engine) if selection is None else selected(work.engine, selection)


def _still(work: Work, sick: list[tuple[Target, str]], when: tuple[str, ...]) -> list[tuple[Target, str]]:
    """Return those that are sick after the grace, too."""
    grace = float(work.fields.get("graceSeconds") or 0)
    if not grace or not sick:
        return sick
    if work.context.cancelled.wait(min(grace, work.deadline.left)):
        raise Interrupted
    now = [(target, _inspected(work, target.id)) for target, _ in sick]
    return [(target, why) for target, told in now if told is not None and (why := _sick(told, when))]


def _sick(told: Mapping[str, Any], when: tuple[str, ...]) -> str:
    """Return which of `when` a container is, "" for none."""
    state = told["State"]
    health = str((state.get("Health") or {}).get("Status") or "").lower()
    if UNHEALTHY in when and health == UNHEALTHY and state.get("Running"):
        return UNHEALTHY
    if RESTARTING in when and state.get("Restarting"):
        return RESTARTING
    if EXITED in when and state["Status"] == EXITED and int(state.get("ExitCode") or 0) != 0:
        return EXITED
    return ""


def _one(work: Work, target: Target, why: str, action: str) -> Tree:
    if work.context.cancelled.is_set():
        raise Interrupted
    told = _inspected(work, target.id)
    if told is None:
        return {"name": target.name, "before": why, "action": REPORT, "after": "removed", "reached": False}
    result: Tree = {
        "name": target.name,
        "id": target.id,
        "before": why,
        "healthLog": _health_log(told),
        "lines": _lines(work, target.id),
        "action": action,
        "after": str(told["State"]["Status"]),
        "reached": False,
    }
    if action == REPORT:
        return result
    most = int(work.fields.get("maxPerHour") or 3)
    if (times := _restarts(work, target.id, told)) >= most:
        return result | {"action": REPORT, "reason": f"it was started anew {times} times within the hour"}
    if not work.will(action, "container", target.name, why):
        return result
    try:
        return result | (_redeployed(work, target) if action == REDEPLOY else _restarted(work, target))
    except EngineError as error:
        return result | {"reason": str(error)}


def _restarted(work: Work, target: Target) -> Tree:
    work.engine.post(CALLS[0][1], {"id": target.id}, timeout="slow")
    verdict = judged(replace(work, fields={"stableSeconds": 3}), target.id)
    return {"after": verdict.state.status, "health": verdict.state.health, "reached": verdict.good} | (
        {} if verdict.good else {"reason": verdict.reason}
    )


def _redeployed(work: Work, target: Target) -> Tree:
    work.plan.pop()  # the steps of the replacement are entered one by one
    fields = {"target": target.name, "onlyIfNewer": False, "pull": "missing", "stableSeconds": 3}
    told = redeployed(replace(work, fields=fields))
    good = told["action"] == REDEPLOY + "ed"
    return {"after": "running" if good else str(told["action"]), "reached": good} | (
        {} if good else {"reason": str(told.get("reason") or told["action"])}
    )


def _restarts(work: Work, identity: str, told: Mapping[str, Any]) -> int:
    """Return how often a container was started anew within the hour, by hand or by a job, as the engine remembers."""
    now = instant(work.engine.get("/info").read(lambda info: str(info["SystemTime"])), "time")
    window = {
        "since": now - _HOUR * SECOND,
        "until": now,
        "filters": {"container": [identity], "event": ["restart"]},
    }
    query = (seconds("since"), seconds("until"), filters())
    try:
        with bounded(work.engine.lines("/events", window, query=query), _RING, record_bytes) as events:
            return sum(1 for _ in events)  # also where they are too many: then these are enough
    except EngineError as fault:
        work.warn(
            f"How often {str(told['Name']).removeprefix('/')} was started anew is not known: {fault.message}"
        )
        return 0


def _health_log(told: Mapping[str, Any]) -> list[Tree]:
    """Return the last checks as {exitCode, output, end}."""
    checks = ((told["State"].get("Health") or {}).get("Log") or [])[-_CHECKS:]
    return [
        {
            "exitCode": int(check.get("ExitCode") or 0),
            "output": str(check.get("Output") or "").strip()[:_LONGEST],
            "end": str(check.get("End") or ""),
        }
        for check in checks
    ]


def _lines(work: Work, identity: str) -> list[str]:
    most = int(work.fields.get("logLines", 50))
    if not most:
        return []
    fields = {"id": identity, "stdout": True, "stderr": True, "tail": most, "timestamps": True}
    limits = Limits(max_bytes=256 * 1024, max_items=most, idle_seconds=10, max_seconds=30)
    try:
        logs = work.engine.logs(
            "/containers/{id}/logs", fields, query=("stdout", "stderr", "tail", "timestamps"), tty=None
        )
        with bounded(logs, limits, lambda line: len(line.text)) as lines:
            return [line.text[:_LONGEST] for line in lines]
    except EngineError as fault:
        return [f"Its log could not be read: {fault.message}"]


def _inspected(work: Work, identity: str) -> Mapping[str, Any] | None:
    try:
        return work.engine.get("/containers/{id}/json", {"id": identity}).read(_checked)
    except NoSuchOperation:
        raise
    except NotFound:
        return None


def _checked(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an inspect; an answer of another form raises what readers of answers raise."""
    State.of(told)
    return told
