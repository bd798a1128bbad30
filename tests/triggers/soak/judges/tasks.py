"""taskFailed: the engine has no events for tasks, but the containers of tasks have: each bad end is a failure."""

from __future__ import annotations

from tests.triggers.soak.case import Case
from tests.triggers.soak.verdict import Verdict

LATE = 4
"""Seconds until the manager surely knows what became of a task."""
TASK, SERVICE = "com.docker.swarm.task.id", "com.docker.swarm.service.id"


def judge(case: Case) -> Verdict:
    verdict = case.verdict()
    removed = {
        one.id: one.removed.begin for one in case.record.things if one.type == "service" and one.removed
    }
    noticed = {one.body.get("service", {}).get("id") for one in case.notices}
    told = {one.body["task"]: one for one in case.messages if one.body["state"] == "failed"}
    failed = set()
    for identity, events in case.lives.items():
        life, labels = case.life(identity), events[0][2]
        if TASK not in labels or not (end := life.last_end(0, float("inf"))) or not end[1]:
            continue
        failed.add(labels[TASK])
        at, service = end[0], labels[SERVICE]
        later = next((one for one in case.windows if one.begin > at + LATE), None)
        if (
            at < case.begin
            or life.was_killed(at)
            or not later
            or removed.get(service, later.end + 1) < later.end
        ):
            continue
        what = f"task {labels[TASK]} of {service} at {at:.3f}"
        verdict.must(labels[TASK] in told, what, noticed=service in noticed)
    for task, one in told.items():
        if task not in failed:
            verdict.false.append(f"task {task}: {one.body['state']} {one.body['error']}")
    verdict.compare_ids(case.told, lambda one: (one.body["task"], one.body["state"]))
    return verdict
