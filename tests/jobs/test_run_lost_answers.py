"""RunContainer whose answers are lost on the way: what it cannot know it looks for, or comes back for."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import Outcome, forget_engines, run_step
from tests.jobs.crash import nothing_left
from tests.jobs.engines import config, own
from tests.jobs.finding import done
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.registry import Registry

__all__ = ["own"]
pytestmark = [pytest.mark.engine, pytest.mark.shows("RunContainer")]
KEY = "RunContainer"


@pytest.fixture
def way(own: LabEngine) -> Iterator[FaultyProxy]:
    """A way to the engine that can be cut; nothing is left on the engine in the end."""
    with nothing_left(own), FaultyProxy(own.socket) as proxy:
        yield proxy
        forget_engines()


def run(way: FaultyProxy, key: str, **fields: Any) -> Outcome:
    wish = {"image": IMAGE, "command": ["sh", "-c", "cat /in; echo done"], "idempotencyKey": key, **fields}
    wish |= {"filesIn": [{"path": "/in", "content": "file "}]}
    address = {"server": "2", "otherServer": f"http://{way.host}:{way.port}"}
    with tempfile.TemporaryDirectory() as folder:
        return run_step(KEY, wish, address, storage=FolderStorage(folder))


def starts(engine: LabEngine, container: str) -> int:
    filters = {"type": ["container"], "event": ["start"], "container": [container]}
    until = f"{time.time():.6f}"
    return len(engine.wire.do("GET", "/events", since="0", until=until, filters=filters).lines())


@pytest.mark.parametrize("call", ["POST /v1.41/containers/create", "PUT ", "/start", "DELETE "])
def test_a_change_whose_answer_is_lost_is_made_once(own: LabEngine, way: FaultyProxy, call: str) -> None:
    key = random_id()
    asked = call.replace("1.41", own.api).encode()
    way.answers.cut_after(0, asked=asked, once=True)
    outcomes = [run(way, key)]
    assert way.answers.limit is None, "nothing was cut"
    if outcomes[0].rebounds:
        assert not outcomes[0].errors
        outcomes.append(run(way, key))
    (body,) = [body for outcome in outcomes for body in outcome.bodies]
    assert (body["stdout"], starts(own, body["container"]["id"])) == ("file done\n", 1)


@pytest.mark.parametrize("call", ["/logs", "/json", "/archive"])
def test_a_read_whose_answer_is_lost_is_asked_again(own: LabEngine, way: FaultyProxy, call: str) -> None:
    key = random_id()
    path = {"/logs": "/logs?", "/json": "/json ", "/archive": "/archive?path=%2Fin"}[call]
    way.answers.cut_after(0, asked=path.encode(), once=True)
    outcomes = [run(way, key, filesOut=["/in"])]
    assert way.answers.limit is None, "nothing was cut"
    if outcomes[0].rebounds:
        outcomes.append(run(way, key, filesOut=["/in"]))
    (body,) = [body for outcome in outcomes for body in outcome.bodies]
    assert (body["stdout"], len(body["files"]), starts(own, body["container"]["id"])) == ("file done\n", 1, 1)


def test_an_engine_that_is_away_is_come_back_for(own: LabEngine, way: FaultyProxy) -> None:
    key = random_id()
    way.refuse()
    assert len(run(way, key).rebounds) == 1
    way.heal()
    assert done(run(way, key))["stdout"] == "file done\n"


def test_an_image_is_fetched(engine_lab: LabEngine, registry: Registry) -> None:
    """`newer` asks the registry, `missing` where there is none, `never` not at all."""
    name = registry.push(engine_lab, f"tool-{random_id()}:1")
    wish = {"image": name, "command": ["true"]}

    def step(pull: str) -> Any:
        return done(run_step(KEY, {**wish, "pull": pull}, config(engine_lab)))

    with nothing_left(engine_lab):
        assert [one["action"] for one in step("newer")["plan"]] == ["create", "start", "remove"]
        engine_lab.wire.do("DELETE", f"/images/{name}")
        error = run_step(KEY, {**wish, "pull": "never"}, config(engine_lab)).errors[0]
        assert error["name"] == "NotFound"
        body = step("missing")
        assert [one["action"] for one in body["plan"]] == ["pull", "create", "start", "remove"]
        assert body["image"]["digest"].startswith("sha256:")
    engine_lab.wire.do("DELETE", f"/images/{name}")
