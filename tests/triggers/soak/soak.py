"""All nine triggers at once on one engine that never rests, polled at random times and killed at random points."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.lab.engine import LabEngine
from tests.lab.registry import Registry
from tests.lab.waiting import take, wait_until
from tests.triggers.event_recorder import EventRecorder
from tests.triggers.soak import tides
from tests.triggers.soak.case import Case
from tests.triggers.soak.churn import Churn
from tests.triggers.soak.judges import events, flow, levels, logs, objects, pushes, states, tasks
from tests.triggers.soak.record import Record
from tests.triggers.soak.step import Step
from tests.triggers.soak.verdict import Verdict

INIT = {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"}
HALF_THE_MEMORY = 120
"""Events after which the soak waits for engineEvents: more than 256 between two polls are another test's matter."""
KINDS = ["images", "volumes", "networks", "services", "secrets", "configs"]


@dataclass(frozen=True)
class Setup:
    """How a trigger is run and judged; `pause`: seconds between two polls, at most."""

    module: str
    judge: Callable[[Case], Verdict]
    config: dict[str, Any]
    pause: float = 3


def setups(references: list[str]) -> dict[str, Setup]:
    """All triggers."""
    memory = {"memoryPercent": str(tides.MEMORY_PERCENT), "polls": "1", "recovered": True}
    disk = {"volumesGigabytes": str(tides.VOLUME_GIGABYTES), "recovered": True}
    return {
        "startFlow": Setup("start_flow", flow.judge, {}),
        "engineEvents": Setup("engine_events", events.judge, {"includeExec": True}),
        "containerStateChanged": Setup("container_state_changed", states.judge, {}),
        "containerLogs": Setup("container_logs", logs.judge, {}),
        "imageUpdated": Setup("image_updated", pushes.judge, {"references": references, "minutes": "0"}),
        "resourceThreshold": Setup("resource_threshold", levels.memory, {**memory, "names": "tide-*"}),
        "taskFailed": Setup("task_failed", tasks.judge, {}),
        "diskUsage": Setup("disk_usage", levels.disk, disk),
        "objectChanged": Setup("object_changed", objects.judge, {"kinds": KINDS}),
    }


def run(engine: LabEngine, registry: Registry, folder: Path, seconds: float, seed: int) -> list[Verdict]:
    """Churn for so long; what each trigger told against what happened."""
    record = Record()
    with ExitStack() as undo:
        # With all that the engine did before: the first polls of engineEvents may tell what is some seconds old. And
        # before the swarm, whose events carry earlier times than that of their publishing.
        truth = EventRecorder(engine, remembered=True)
        undo.callback(truth.close)
        engine.wire.do("POST", "/swarm/init", INIT)
        undo.callback(engine.wire.ask, "POST", "/swarm/leave", force=True)
        churn = Churn(engine, registry, record, random.Random(f"{seed} churn"))
        tide = tides.Tides(engine, record, random.Random(f"{seed} tides"))
        undo.callback(tide.close)
        chosen = setups(churn.images.references)
        steps = {}
        for key, one in chosen.items():
            config = {"server": "2", "otherServer": engine.url, **one.config}
            steps[key] = Step(one.module, config, folder / key, one.pause, seed)
            undo.callback(steps[key].close)
        wait_until(lambda: all(step.windows for step in steps.values()), "the first polls")
        _churn(churn, truth, steps, random.Random(f"{seed} kills"), seconds)
        tide.close()
        for worker in churn.containers.workers:
            engine.wire.ask("POST", f"/containers/{worker.id}/kill")
            churn.containers.read_log(worker.id)
        quiet = time.time() + 6
        wait_until(lambda: time.time() > quiet, "what happened to be shown")
        for step in steps.values():
            step.end()
        for step in steps.values():
            step.ended()
        print(f"{record.actions} actions, {len(record.refused)} refused by the engine", flush=True)
        (folder / "events").write_text("\n".join(map(json.dumps, truth.events)), encoding="utf-8")
        (folder / "record").write_text(json.dumps(asdict(record), default=sorted), encoding="utf-8")
        return [_judged(key, chosen[key], steps[key], truth, record) for key in chosen]


def _churn(
    churn: Churn, truth: EventRecorder, steps: dict[str, Step], chance: random.Random, seconds: float
) -> None:
    """Do things, and kill a step now and then, often in the middle of what it tells."""
    until, next_kill = time.time() + seconds, time.time()
    victims = [step for key, step in steps.items()]
    while time.time() < until:
        churn.act()
        take(churn.chance.random() * 0.15)
        wait_until(lambda: _untold(truth, steps["engineEvents"]) < HALF_THE_MEMORY, "the events to be told")
        if time.time() > next_kill:
            next_kill = time.time() + chance.random() * 4
            _kill(chance.choice(victims), while_telling=chance.random() < 0.5)


def _untold(truth: EventRecorder, step: Step) -> int:
    """Events since the last stored poll."""
    last = (step.windows[-1].begin - 3) * 1e9
    return sum(event["timeNano"] > last for event in truth.events[-300:])


def _kill(step: Step, *, while_telling: bool) -> None:
    size, end = step.size, time.time() + 1
    with suppress(TimeoutError):
        if while_telling:
            wait_until(lambda: step.size > size or time.time() > end, "a message")
    step.kill()


def _judged(key: str, setup: Setup, step: Step, truth: EventRecorder, record: Record) -> Verdict:
    verdict = setup.judge(Case(key, step.windows, step.told, list(truth.events), record))
    verdict.kills = step.kills
    return verdict
