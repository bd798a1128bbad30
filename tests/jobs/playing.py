"""A message of a job, played: as a dry run, in earnest, once more, wrong, twice at once, killed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.standalone.folder import FolderStorage
from lib.sailor.transport import Kind
from tests.actions.stepping import Outcome, run_step
from tests.jobs.crash import AFTER, Death, Delivery
from tests.jobs.deaths import leftovers
from tests.jobs.engines import config
from tests.jobs.finding import done, failed
from tests.jobs.scenes import OF_ALL_JOBS, Scene
from tests.jobs.table import CASES, LACKS, changes
from tests.jobs.things import things
from tests.lab.engine import LabEngine

BRIDGE = "docker_gwbridge"
TASK = "com.docker.swarm.task.id"
"""What a swarm makes, and takes away, when it likes."""
Tree = dict[str, Any]


def of_jobs(*cases: str, on: str = "", changing: bool | None = None) -> Any:
    """Play each job, those that change something or those that do not; `cases` are shown by that.

    `on`: an engine that lacks something for some jobs; these are left out.
    """
    assert set(cases) <= set(CASES)
    kinds = [
        kind
        for kind in OF_ALL_JOBS
        if (changing is None or changes(kind.key) == changing) and (on, kind.key) not in LACKS
    ]
    shown = [pytest.param(kind, id=kind.key, marks=pytest.mark.shows(kind.key, *cases)) for kind in kinds]
    return pytest.mark.parametrize("kind", shown)


@contextmanager
def ended(scene: Scene) -> Iterator[Scene]:
    """Clear away what a scene was furnished with and what it made."""
    try:
        yield scene
    finally:
        scene.end()


def played(scene: Scene) -> None:
    """A real run does what its dry run says, a credential that may only read refuses it, a repeat has no effect."""
    own, message = scene.engine, scene.begin()
    before = state(own)
    if scene.refused:
        assert failed(told(message, accessMode="readOnly"))[0] == "ReadOnly"
    dry = done(told(message, accessMode="readOnly", dryRun=True))
    assert (state(own), dry["changed"], dry["dryRun"]) == (before, False, True)
    real = done(told(message))
    assert (real["changed"], plan(real)) == (scene.changes, plan(dry))
    scene.good()
    before = state(own)
    again = told(message, redelivered=True)
    if scene.unsure:
        assert failed(again)[0] in scene.unsure
    else:
        done(again)
    assert state(own) == before
    scene.good()


def read(scene: Scene) -> None:
    """A job that reads does so again, and with a credential that may only read."""
    message = scene.begin()
    before = state(scene.engine)
    for redelivered in (False, True):
        done(told(message, redelivered=redelivered, accessMode="readOnly"))
        scene.good()
    assert state(scene.engine) == before


def refused(scene: Scene) -> None:
    """A wrong message fails, and changes nothing."""
    scene.begin()
    before = state(scene.engine)
    message, name = scene.wrong()
    assert failed(told(message))[0] == name
    assert state(scene.engine) == before


def twice_at_once(scene: Scene) -> None:
    """Two deliveries at once come to one end."""
    message = scene.begin()
    before = things(scene.engine)
    with ThreadPoolExecutor(2) as pool:
        both = [one.result() for one in [pool.submit(told, message) for _ in range(2)]]
    names = {error["name"] for outcome in both for error in outcome.errors}
    ids = [one.headers["messageId"] for outcome in both for one in outcome.transport.of(Kind.DATA)]
    assert names <= set(scene.unsure), [outcome.errors for outcome in both]
    assert (len(set(ids)), len(ids) + bool(names)) == (1, 2)
    scene.good()
    assert scene.keeps or not leftovers(things(scene.engine)) - leftovers(before)


def killed_here_and_there(engine: LabEngine, folder: Path, kind: type[Scene]) -> None:
    """Killed after its first, its middle and its last change it comes to its end."""
    calls = _killed(kind(engine, folder, waits=False), None)
    for number in sorted({1, (calls + 1) // 2, calls}):
        _killed(kind(engine, folder, waits=False), (number, AFTER))


def _killed(scene: Scene, die: Death | None) -> int:
    """Play a scene to its end, with a death where one is told; return the number of changing calls of the last life."""
    with ended(scene):
        message = scene.begin()
        dead = message.run(die) if die else None
        life = message.run()
        assert dead is None or not dead.errors, (die, dead.errors)
        if life.errors and scene.unsure and die:
            assert {error["name"] for error in life.errors} <= set(scene.unsure), (die, life.errors)
        else:
            assert (life.finished, len(message.told)) == (True, 1), (die, life.errors)
            scene.good()
        assert scene.keeps or not message.left(), die
    return len(life.calls)


def told(message: Delivery, *, redelivered: bool = False, **settings: Any) -> Outcome:
    """Deliver a message in this process."""
    return run_step(
        message.key,
        dict(message.body),
        config(message.engine, **{**message.settings, **settings}),
        attachments=message.attachments,
        storage=FolderStorage(message.folder),
        headers={**message.headers, "messageId": message.message_id},
        redelivered=redelivered,
    )


def plan(body: Tree) -> list[tuple[str, str, str]]:
    return [(one["action"], one["kind"], one["name"]) for one in body["plan"]]


def state(engine: LabEngine) -> Tree:
    """All that is on an engine, and in its swarm."""

    def listed(path: str, *parts: str) -> list[str]:
        answer = engine.wire.ask("GET", path)
        found = answer.json() if answer.status == 200 else []
        found = found if isinstance(found, list) else found["Volumes"] or []
        found = [one for one in found if one.get("Name") != BRIDGE and TASK not in (one.get("Labels") or {})]
        return sorted(str([one.get(part) for part in parts]) for one in found)

    return {
        "containers": listed("/containers/json?all=true", "Id", "Names", "State"),
        "volumes": listed("/volumes", "Name", "Labels"),
        "networks": listed("/networks", "Id", "Name"),
        "images": listed("/images/json", "Id", "RepoTags"),
        **{kind: listed(f"/{kind}", "ID", "Version") for kind in ("services", "secrets", "configs")},
    }
