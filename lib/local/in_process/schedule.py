"""Polls a trigger with pauses between the polls, a number of times or until the run is cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from lib.local.in_process.run import Run
from lib.local.in_process.steps import LocalStep
from lib.sailor.coroutines import awaited
from lib.sailor.message import Message


@dataclass(frozen=True)
class Schedule:
    """`every` is the pause between polls in seconds, `times` the number of polls; None: until the run is cancelled."""

    every: float
    times: int | None = None


def poll(
    run: Run,
    trigger: LocalStep,
    schedule: Schedule,
    cancelled: threading.Event,
    done: Callable[[], bool] = lambda: False,
) -> None:
    """Call the hook startup, poll the trigger on schedule until `done()` is true, then call the hook shutdown."""
    function, config = trigger.function, trigger.step.config
    state = awaited(function.startup(dict(config))) if function.startup else None
    try:
        count = known = 0
        while not cancelled.is_set():
            run.work(trigger, Message())
            count += 1
            if count == schedule.times or done():
                return
            known, new = run.emitted(trigger.id), run.emitted(trigger.id) - known
            with run.output.waiting(count, new, schedule.every):
                cancelled.wait(schedule.every)
    finally:
        if function.shutdown:
            awaited(function.shutdown(dict(config), state or {}))
