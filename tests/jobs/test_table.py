"""Each job on the engines that have no tests of their own for it: one message, played in each of the table's cases.

A message of each job is told as a dry run, refused by a read-only credential, worked on, delivered again, delivered
twice at once, and killed after the first, the middle and the last of its changing calls. (Before a call an engine is as
after the one before it; each call is a place to die at on the engines of `tests/jobs/test_scenes.py`.)
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.standalone.folder import FolderStorage
from lib.sailor.transport import Kind
from tests.actions.stepping import Outcome, forget_engines, run_step
from tests.jobs.crash import AFTER, Death, Delivery
from tests.jobs.deaths import leftovers
from tests.jobs.engines import MORE, PODMAN, begin, config
from tests.jobs.finding import SWARM, done, failed
from tests.jobs.scenes import OF_ALL_JOBS, Scene
from tests.jobs.table import changes
from tests.jobs.things import things
from tests.lab.engine import LabEngine

pytestmark = pytest.mark.engine
PLAYED = ("succeeds", "dry_run", "repeat", "read_only")
BRIDGE = "docker_gwbridge"
TASK = "com.docker.swarm.task.id"
"""What a swarm makes, and takes away, when it likes."""
Tree = dict[str, Any]


@pytest.fixture(scope="module", params=(*MORE, PODMAN))
def own(request: Any) -> Iterator[LabEngine]:
    """An engine of the test's own that is a manager."""
    engine = begin(request.param)
    try:
        if request.param != PODMAN:
            engine.wire.do("POST", "/swarm/init", SWARM)
        yield engine
    finally:
        forget_engines()
        engine.close()


def of_jobs(*cases: str, changing: bool | None = None) -> Any:
    """Play each job, those that change something or those that do not; `cases` are shown by that."""
    kinds = [kind for kind in OF_ALL_JOBS if changing is None or changes(kind.key) == changing]
    shown = [pytest.param(kind, id=kind.key, marks=pytest.mark.shows(kind.key, *cases)) for kind in kinds]
    return pytest.mark.parametrize("kind", shown)


@of_jobs(*PLAYED, changing=True)
def test_it_does_what_its_dry_run_says_and_a_repeat_does_nothing(
    own: LabEngine, tmp_path: Path, kind: type[Scene]
) -> None:
    scene = kind(own, tmp_path)
    try:
        message = scene.begin()
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
    finally:
        scene.end()


@of_jobs("fails")
def test_it_fails_and_changes_nothing(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    scene = kind(own, tmp_path)
    try:
        scene.begin()
        before = state(own)
        message, name = scene.wrong()
        assert failed(told(message))[0] == name
        assert state(own) == before
    finally:
        scene.end()


@of_jobs("succeeds", "repeat", "read_only", changing=False)
def test_it_reads(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    scene = kind(own, tmp_path)
    try:
        message = scene.begin()
        before = state(own)
        for redelivered in (False, True):
            done(told(message, redelivered=redelivered, accessMode="readOnly"))
            scene.good()
        assert state(own) == before
    finally:
        scene.end()


@of_jobs("at_once", changing=True)
def test_two_at_once_come_to_one_end(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    scene = kind(own, tmp_path, waits=False)
    try:
        message = scene.begin()
        before = things(own)
        with ThreadPoolExecutor(2) as pool:
            both = [one.result() for one in [pool.submit(told, message) for _ in range(2)]]
        names = {error["name"] for outcome in both for error in outcome.errors}
        ids = [one.headers["messageId"] for outcome in both for one in outcome.transport.of(Kind.DATA)]
        assert names <= set(scene.unsure), [outcome.errors for outcome in both]
        assert (len(set(ids)), len(ids) + bool(names)) == (1, 2)
        scene.good()
        assert scene.keeps or not leftovers(things(own)) - leftovers(before)
    finally:
        scene.end()


@of_jobs("killed", changing=True)
def test_killed_after_a_change_it_comes_to_its_end(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    calls = killed(kind(own, tmp_path, waits=False), None)
    for number in sorted({1, (calls + 1) // 2, calls}):
        killed(kind(own, tmp_path, waits=False), (number, AFTER))


def killed(scene: Scene, die: Death | None) -> int:
    """Play a scene to its end, with a death where one is told; return the number of changing calls of the last life."""
    try:
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
    finally:
        scene.end()
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
