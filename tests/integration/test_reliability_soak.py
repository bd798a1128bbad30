"""Two thousand calls of all kinds, half of them over TLS: nothing that is opened stays open. Counted, not timed."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice

import pytest

from actions.containers import container_attach, container_attach_websocket, container_logs
from lib.credentials import new_engine
from lib.engine import Engine
from lib.engine.answer.streams import Logs
from lib.engine.attach.session import Dialogue
from lib.engine.errors import NotFound
from tests.integration.test_tls import config_for
from tests.lab.at_once import at_once
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until

pytestmark = pytest.mark.engine

ROUNDS = 62
WORKERS = 2


@pytest.fixture(params=["unix", "tls"])
def lab(request: pytest.FixtureRequest) -> LabEngine:
    engine: LabEngine = request.getfixturevalue("tls_engine" if request.param == "tls" else "engine_lab")
    return engine


@pytest.fixture
def engine(lab: LabEngine) -> Iterator[Engine]:
    secure = lab.tcp_url.startswith("https")
    with new_engine(config_for(lab) if secure else {"server": "2", "otherServer": lab.url}) as engine:
        yield engine


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def listeners(lab: LabEngine) -> int:
    """Who listens to the engine's events, by its own count."""
    count: int = lab.wire.do("GET", "/info").json()["NEventsListener"]
    return count


def one_round(engine: Engine, container: str) -> None:
    """Sixteen calls: whole answers, refusals, and streams and conversations of which most are left early."""
    for _ in range(4):
        engine.get("/_ping")
    engine.get("/info")
    engine.get("/containers/json", {"all": True}, query=("all",))
    engine.head("/_ping")
    with pytest.raises(NotFound):
        engine.get("/containers/nobody/json")
    with pytest.raises(NotFound), engine.tar("/containers/nobody/export"):
        pass
    with engine.lines("/events", {"since": "0"}, query=("since",)) as events:
        next(events)
    with engine.lines("/events"):
        pass
    fields = {"id": container, "follow": True}
    logs = container_logs(engine, fields)
    assert isinstance(logs, Logs)
    with logs:
        assert next(logs).text == "one"
    with engine.tar("/containers/{id}/export", fields) as archive:
        assert len(b"".join(islice(archive, 2))) > 0
    for attach in (container_attach, container_attach_websocket):
        dialogue = attach(engine, {"id": container, "logs": True})
        assert isinstance(dialogue, Dialogue)
        with closing(dialogue):
            assert next(dialogue.frames())
    with pytest.raises(NotFound):
        container_attach(engine, {"id": "nobody"})


def test_a_thousand_calls_leave_nothing_open(lab: LabEngine, engine: Engine) -> None:
    container = lab.run(["sh", "-c", "echo one; echo two; exec sleep 600"])
    try:
        one_round(engine, container)
        gc.collect()
        before = descriptors(), threading.active_count(), listeners(lab)

        def work() -> None:
            for _ in range(ROUNDS // WORKERS):
                one_round(engine, container)

        together(work)
        gc.collect()
        # Each worker may have kept one connection.
        assert descriptors() <= before[0] + WORKERS
        assert threading.active_count() == before[1]
        wait_until(lambda: listeners(lab) <= before[2], "the engine to forget its listeners")
        engine.close()
        assert descriptors() < before[0]
    finally:
        lab.remove(container)


def together(work: Callable[[], None]) -> None:
    at_once(*[work] * WORKERS)
