"""fault 9.22: a state that does not fit into the snapshot lies in the storage of objects, proven and cleaned up."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.errors import StorageError
from lib.sailor.message import Message
from lib.sailor.message.cipher import Aes
from lib.sailor.platform.object_storage import Maester
from lib.sailor.platform.states import States
from lib.sailor.settings import Settings
from lib.sailor.standalone.folder import FolderStates
from lib.sailor.transport import StateStore
from lib.trigger.cursor import LIMIT, CursorTooLarge
from lib.trigger.state_room import LARGEST
from lib.trigger.trigger import Finding, Found, Poll, trigger
from tests.lab.waiting import DEADLINE
from tests.sailor.platform import Platform
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import Emitted, Killed, Lines, Surroundings, size

BIG, SMALL = 60_000, 100


@dataclass(frozen=True)
class Marks:
    """So many characters that nothing makes shorter, and the number of polls."""

    polls: int
    text: str

    def to_state(self) -> dict[str, Any]:
        return {"polls": self.polls, "marks": self.text}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Marks:
        return cls(int(state["polls"]), str(state["marks"]))


@trigger("containerLogs", read=Marks.from_state, sample={})
def handler(poll: Poll[Marks]) -> Found[Marks]:
    polls = poll.state.polls + 1 if poll.state else 1
    length = int(poll.form["names"])
    asks_first = bool(poll.form.get("images"))
    if asks_first:
        poll.need_room(length)
        poll.engine.get("/asked")
    chance = random.Random(polls)
    text = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length))
    return Found([Finding({"poll": polls}, f"poll {polls}")], Marks(polls, text))


class Step:
    """Runs the handler above; `kept` lists the objects that are stored."""

    def __init__(self, fake: FakeEngine, states: StateStore | None) -> None:
        self.fake, self.states = fake, states
        self.snapshot: Any = {}
        self.log = Lines()

    def poll(self, length: int = BIG, dies_after: int | None = None, **config: str) -> Emitted:
        emitted = Emitted(dies_after=dies_after)
        surroundings = Surroundings(emitted, self.log, states=self.states)
        try:
            config = {**self.fake.config, "names": str(length), **config}
            handler.declared.process(surroundings, Message(), config, self.snapshot)  # type: ignore[attr-defined]
        except Killed:
            pass
        finally:
            self.snapshot = emitted.snapshots[-1] if emitted.snapshots else self.snapshot
        return emitted


def polls(emitted: Emitted) -> list[int]:
    return [body["poll"] for body in emitted.bodies if "poll" in body]


def gaps(emitted: Emitted) -> list[str]:
    return [body["reason"] for body in emitted.of("gap")]


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform() as platform:
        yield platform


@pytest.fixture(params=["folder", "platform"])
def step(request: pytest.FixtureRequest, fake: FakeEngine, tmp_path: Path, platform: Platform) -> Step:
    """A step with either kind of storage."""
    if request.param == "folder":
        return Step(fake, FolderStates(str(tmp_path / "states")))
    return Step(fake, on_platform(platform))


def on_platform(platform: Platform, password: str = "secret") -> States:
    settings = Settings(object_storage_uri=platform.url, object_storage_token="token", request_max_retry=0)
    return States(Maester(settings), Aes(password, "0123456789abcdef"))


def stored(step: Step, tmp_path: Path, platform: Platform) -> set[str]:
    if isinstance(step.states, States):
        return set(platform.objects)
    folder = tmp_path / "states"
    return {file.name for file in folder.iterdir()} if folder.exists() else set()


def test_fault_9_22_a_large_state_is_found_again_and_two_objects_are_kept_at_most(
    step: Step, tmp_path: Path, platform: Platform
) -> None:
    for number in range(1, 6):
        assert polls(step.poll()) == [number]
        assert size(step.snapshot) < 1000
        named = {step.snapshot["object"], step.snapshot.get("before")} - {None}
        assert stored(step, tmp_path, platform) == named
    assert len(named) == 2


def test_fault_9_22_a_state_that_fits_again_leaves_no_object(
    step: Step, tmp_path: Path, platform: Platform
) -> None:
    for number, length in enumerate((BIG, BIG, SMALL, SMALL, SMALL), 1):
        assert polls(step.poll(length)) == [number]
    assert "object" not in step.snapshot
    assert stored(step, tmp_path, platform) == set()
    assert polls(step.poll(BIG)) == [6]


@pytest.mark.parametrize("dies_after", [0, 1])
def test_fault_9_22_a_kill_at_any_point_repeats_with_equal_ids_and_leaves_nothing_behind(
    step: Step, tmp_path: Path, platform: Platform, dies_after: int
) -> None:
    step.poll()
    step.poll()
    ids = step.poll(dies_after=dies_after).ids
    again = step.poll()
    assert polls(again) == [3]
    assert again.ids[: len(ids)] == ids
    step.poll()
    step.poll()
    assert len(stored(step, tmp_path, platform)) <= 3


def test_fault_9_22_the_snapshot_before_is_still_a_good_start(step: Step) -> None:
    step.poll()
    older = step.snapshot
    step.poll()
    step.snapshot = older  # the platform had not taken the last one over
    assert polls(step.poll()) == [2]


@pytest.mark.parametrize("odd", ["missing", "foreign", "cut", "endless"])
def test_fault_9_22_a_lost_object_is_a_gap_and_a_new_start(
    step: Step, tmp_path: Path, platform: Platform, odd: str
) -> None:
    step.poll()
    name = step.snapshot["object"]
    contents = {"foreign": b"other " * 32, "cut": None, "endless": b"\0" * (LARGEST * 2)}
    if isinstance(step.states, States):
        before = platform.objects.pop(name)
        if odd != "missing":
            platform.objects[name] = contents[odd] or before[:160]
    else:
        file = tmp_path / "states" / name
        before = file.read_bytes()
        file.unlink()
        if odd != "missing":
            file.write_bytes(contents[odd] or before[:160])
    emitted = step.poll()
    assert gaps(emitted) == ["lostState"]
    assert polls(emitted) == [1]
    if odd != "missing":
        assert name in stored(step, tmp_path, platform)  # what is not ours is not removed
    assert gaps(step.poll()) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "", 5, None, "x" * 1000, "a/b"])
def test_fault_9_22_an_odd_name_in_a_snapshot_is_a_gap(step: Step, name: Any) -> None:
    step.poll()
    step.snapshot = {**step.snapshot, "object": name}
    assert gaps(step.poll()) == ["lostState"]


def test_fault_9_22_a_storage_that_is_away_fails_the_poll_and_keeps_the_place(
    fake: FakeEngine, platform: Platform
) -> None:
    step = Step(fake, on_platform(platform))
    step.poll()
    path = f"/objects/{step.snapshot['object']}"
    platform.on("GET", path, (503, {"error": "away"}))
    with pytest.raises(StorageError):
        step.poll()
    platform.on("POST", "/objects", (503, {"error": "away"}))
    del platform._answers["GET", path]
    with pytest.raises(StorageError):
        step.poll()
    del platform._answers["POST", "/objects"]
    assert polls(step.poll()) == [2]


def test_fault_9_22_a_step_that_lost_its_storage_says_so_and_keeps_the_place(
    fake: FakeEngine, tmp_path: Path
) -> None:
    states = FolderStates(str(tmp_path))
    step = Step(fake, states)
    step.poll()
    step.states = None
    with pytest.raises(StorageError, match="storage of objects"):
        step.poll(SMALL)
    step.states = states
    assert polls(step.poll()) == [2]


def test_fault_9_22_a_state_on_the_platform_is_sealed_and_lives_long(
    fake: FakeEngine, platform: Platform
) -> None:
    step = Step(fake, on_platform(platform))
    step.poll()
    (put,) = platform.asked("POST", "/objects")
    assert int(put.headers["x-eio-ttl"]) >= 30 * 24 * 3600
    assert put.headers["authorization"] == "Bearer token"
    assert hashlib.sha256(put.body).hexdigest() != step.snapshot["digest"]
    step.states = on_platform(platform, "another password")
    assert gaps(step.poll()) == ["lostState"]


def test_fault_9_21_without_a_storage_the_refusal_comes_before_the_calls(fake: FakeEngine) -> None:
    step = Step(fake, None)
    with pytest.raises(CursorTooLarge, match="Narrow the filter"):
        step.poll(images="x")
    assert "/asked" not in fake.asked
    with pytest.raises(CursorTooLarge, match=str(LIMIT)):
        step.poll()
    assert polls(step.poll(SMALL)) == [1]


def test_fault_9_22_there_is_an_end_of_room_with_a_storage_too(step: Step) -> None:
    with pytest.raises(CursorTooLarge, match=str(LARGEST)):
        step.poll(LARGEST + 1)


def image(number: int) -> dict[str, Any]:
    identity = f"sha256:{number:064x}"
    return {"Id": identity, "RepoTags": [f"shop/web:{number}"], "Created": 1_700_000_000 + number}


def test_fault_9_22_the_local_runner_keeps_files_beside_its_state(fake: FakeEngine, tmp_path: Path) -> None:
    images = [image(number) for number in range(2000)]
    fake.routes["/images/json"] = lambda _: (200, images)
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "lib.local", "trigger", "objectChanged", "--times", "1", "--json"]
    command += ["--state", str(state), "--config", '{"kinds": ["images"]}']

    def poll() -> list[str]:
        environment = {**os.environ, "DOCKER_HOST": fake.url, "PYTHONPATH": "."}
        done = subprocess.run(command, env=environment, capture_output=True, timeout=DEADLINE, check=True)
        return [
            json.loads(line)["message"]["body"].get("name")
            for line in done.stdout.splitlines()
            if b"body" in line
        ]

    assert poll() == []
    images.append(image(2000))
    assert poll() == ["shop/web:2000"]
    assert poll() == []
    assert state.stat().st_size < 1000
    assert len(list((tmp_path / "state.json.objects").iterdir())) == 2
