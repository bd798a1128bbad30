"""What a dry run says of a message whose step has died in the middle, and what the next delivery then does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.actions.stepping import FAST, run_step
from tests.jobs.crash import AFTER, BEFORE, Death, Delivery, Life
from tests.jobs.engines import config
from tests.jobs.finding import done
from tests.jobs.step_process import FLOW
from tests.jobs.things import things


def called(calls: list[str]) -> list[str]:
    """The last words of the paths of calls, DELETE for those that delete."""
    return ["DELETE" if call.startswith("DELETE") else call.rpartition("/")[2] for call in calls]


def planned(message: Delivery) -> Any:
    """The output of a dry run of the next delivery, under a credential that may only read."""
    before = things(message.engine)
    outcome = run_step(
        message.key,
        dict(message.body),
        config(message.engine, **message.settings, dryRun=True, accessMode="readOnly"),
        headers={"messageId": message.message_id},
        settings=replace(FAST, **FLOW),
        redelivered=True,
    )
    body = done(outcome)
    assert (body["changed"], body["dryRun"], things(message.engine)) == (False, True, before)
    return body


def planned_back(message: Delivery, die: Death, name: str, calls: list[str]) -> Any:
    """The same of a replacement by a container that ends at once: None as long as that was not started.

    `calls` are those of one life: a dry run takes it that what was not started yet is good.
    """
    start = calls.index("start") + 1
    if die[0] < start or die == (start, BEFORE):
        return None
    if die == (start, AFTER):
        message.engine.wait(name)  # else it might be looked at while it still runs
    dry = planned(message)
    assert dry["action"] == "rolledBack"
    return dry


def as_planned(dry: Any, life: Life) -> None:
    """Fail unless a delivery did what the dry run before it has said, and said the same itself."""
    actions = [entry["action"] for entry in dry["plan"]]
    assert ["DELETE" if action == "remove" else action for action in actions] == called(life.calls)
    for body in life.bodies:
        assert (body["action"], [entry["action"] for entry in body["plan"]]) == (dry["action"], actions)
