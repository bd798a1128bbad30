"""The loop around a trigger: a poll, a pause, a poll, until it has been often enough or somebody ends it."""

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
    """How often a trigger is polled: `times` None means until the run is cancelled."""

    every: float
    times: int | None = None


def poll(
    run: Run,
    trigger: LocalStep,
    schedule: Schedule,
    cancelled: threading.Event,
    done: Callable[[], bool] = lambda: False,
) -> None:
    """Poll a trigger on schedule, its start-up and shut-down hooks around all polls."""
    function, config = trigger.function, trigger.step.config
    state = awaited(function.startup(dict(config))) if function.startup else None
    try:
        count = 0
        while not cancelled.is_set():
            run.work(trigger, Message())
            count += 1
            if count == schedule.times or done():
                return
            cancelled.wait(schedule.every)
    finally:
        if function.shutdown:
            awaited(function.shutdown(dict(config), state or {}))
