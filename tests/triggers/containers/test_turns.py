"""Health and pauses: an event between the inspect and the reading of the events is newer than the inspect."""

from __future__ import annotations

from typing import Any

import pytest

from lib.trigger.containers.lifecycle import Condition, changes
from lib.trigger.containers.turns import walk

STARTED = 100
UP = Condition("running", "starting", 0, 0, STARTED, 0)


def event(action: str, at: int) -> dict[str, Any]:
    return {"Type": "container", "Action": action, "timeNano": at}


def test_fault_9_17_a_health_that_an_event_told_is_not_told_again() -> None:
    walked = walk([event("health_status: healthy", 120)], UP, UP)
    assert [turn.change for turn in walked.turns] == ["healthy"]
    _, kept = walked.settled(UP)  # the inspect came before the event
    assert kept.health == "healthy"
    assert walk([], kept, Condition("running", "healthy", 0, 0, STARTED, 0)).lacks(kept) == ()


def test_fault_9_17_a_pause_after_the_inspect_is_told_once_and_is_no_unpause() -> None:
    walked = walk([event("pause", 120)], UP, UP)
    assert [turn.change for turn in walked.turns] == ["paused"]
    assert walked.settled(UP)[1].status == "paused"


@pytest.mark.parametrize("status", ["paused", "exited"])
def test_fault_9_20_a_pause_or_an_end_makes_nobody_unhealthy(status: str) -> None:
    """Engines say so of both, without a probe."""
    healthy = Condition("running", "healthy", 0, 0, STARTED, 0)
    now = Condition(status, "unhealthy", 0, 0, STARTED, 130 if status == "exited" else 0)
    events = [event("pause", 120)] if status == "paused" else [event("die", 130)]
    walked = walk(events, healthy, now)
    assert walked.lacks(now) == ()
    assert "unhealthy" not in [turn.change for turn in walked.settled(now)[0]]
    assert "unhealthy" not in changes(healthy, now, crash=False)


def test_fault_9_20_after_a_pause_nobody_is_unhealthy_before_a_probe_failed() -> None:
    state = {"Status": "running", "Health": {"Status": "unhealthy", "FailingStreak": 0}}
    assert Condition.of({"State": state}).health == "starting"
    state["Health"] = {"Status": "unhealthy", "FailingStreak": 1}
    assert Condition.of({"State": state}).health == "unhealthy"


def test_fault_9_20_what_no_event_tells_the_inspect_does() -> None:
    sick = Condition("running", "unhealthy", 0, 0, STARTED, 0)
    turns, kept = walk([], UP, sick).settled(sick)
    assert ([turn.change for turn in turns], kept) == (["unhealthy"], sick)


def test_fault_9_17_a_health_after_a_start_that_was_read_before_is_kept() -> None:
    """The poll before had read the start already, after it had looked."""
    before = Condition("exited", "starting", 0, 0, 50, 60)
    now = Condition("running", "healthy", 0, 0, STARTED, 60)
    turns, kept = walk([event("health_status: healthy", 120)], before, now).settled(now)
    assert ([turn.change for turn in turns], kept.health) == (["healthy"], "healthy")
