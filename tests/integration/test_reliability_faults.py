"""Every kind of stream through a port that misbehaves: a whole result or a typed error, within its limits."""

from __future__ import annotations

import io
import socket
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import pytest

from actions.containers import container_wait, put_container_archive
from lib.engine import Endpoint, Engine
from lib.engine.errors import OutcomeUnknown, TimedOut
from lib.engine.http.connect import connect
from lib.engine.request.upload import Upload
from lib.engine.timeouts import Timeout, Timeouts
from tests.actions.stepping import Outcome
from tests.integration.reliability_lab import Way, steps_forgotten, way
from tests.lab.engine import LabEngine

__all__ = ["steps_forgotten", "way"]

pytestmark = pytest.mark.engine

Body = dict[str, Any]
SAY = 'for i in 1 2 3 4 5 6 7 8; do echo "line $i of the output"; done'
BUILD = "FROM busybox:local\n" + "".join(f"LABEL label{number}=value\n" for number in range(4))
IMAGE = "reliability/faults:1"
READS = {"StreamCut", "NoAnswer"}
LATE = {"TimedOut", "LimitReached"}
WRITES = {"OutcomeUnknown"}


def tar(size: int = 200_000) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        entry = tarfile.TarInfo("data.bin")
        entry.size = size
        archive.addfile(entry, io.BytesIO(b"x" * size))
    return target.getvalue()


@dataclass(frozen=True)
class Case:
    """An operation whose answer (or request) is a stream: how it is called, and what a whole result is."""

    key: str
    asked: bytes
    body: Callable[[str], Body]
    whole: Callable[[Body], bool]
    settings: Body = field(default_factory=dict)
    writes: bool = False
    running: bool = False
    attachments: dict[str, bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.key


SIZES = (160, 330)


def names(outcome: Outcome) -> set[str]:
    return {error["name"] for error in outcome.errors}


def lines_of(body: Body) -> list[str]:
    return [line["text"] for line in body["results"]]


CASES = [
    Case(
        "ContainerLogs",
        b"/logs",
        lambda made: {"id": made, "follow": True, "stdout": True},
        lambda body: len(lines_of(body)) == 8 and "truncated" not in body,
    ),
    Case(
        "SystemEvents",
        b"/events",
        lambda made: {"since": "0", "until": "9999999999", "filters": {"type": ["image"], "event": ["tag"]}},
        lambda body: len(body["results"]) == 2,
        settings={"maxItems": "2"},
    ),
    Case(
        "ContainerStats",
        b"/stats",
        lambda made: {"id": made, "stream": True},
        lambda body: len(body["results"]) == 1,
        settings={"maxItems": "1"},
        running=True,
    ),
    Case(
        "ContainerArchive",
        b"/archive",
        lambda made: {"id": made, "path": "/bin/busybox"},
        lambda body: body["size"] > 1_000_000,
    ),
    Case(
        "PutContainerArchive",
        b"/archive",
        lambda made: {"id": made, "path": "/tmp", "attachment": "tar"},
        lambda body: body == {},
        writes=True,
        attachments={"tar": tar()},
    ),
    Case(
        "ImageBuild",
        b"/build",
        lambda _: {"dockerfileText": BUILD, "t": IMAGE, "nocache": True},
        lambda body: body["tags"] == [IMAGE],
        writes=True,
    ),
    Case(
        "ContainerAttach",
        b"/attach",
        lambda made: {"id": made, "logs": True, "stdout": True},
        lambda body: body["stdout"].count("\n") == 8 and body["exitCode"] == 0,
        writes=True,
    ),
    Case(
        "ContainerWait",
        b"/wait",
        lambda made: {"id": made},
        lambda body: body == {"StatusCode": 0, "Error": None},
    ),
]


@pytest.fixture(scope="module")
def containers(engine_lab: LabEngine) -> Iterator[dict[bool, str]]:
    """One that has said what it says, and (True) one that is still running; and events of images."""
    ended, running = engine_lab.run(["sh", "-c", SAY]), engine_lab.run()
    engine_lab.wait(ended)
    yield {False: ended, True: running}
    for container in (ended, running):
        engine_lab.remove(container)
    engine_lab.wire.ask("DELETE", f"/images/{IMAGE}", force=True)


every_case = pytest.mark.parametrize("case", CASES, ids=str)
Finish = Callable[..., Outcome]


@pytest.fixture
def finish(way: Way, case: Case, containers: dict[bool, str]) -> Finish:
    """Run the step of the case."""
    body = case.body(containers[case.running])

    def run(**settings: Any) -> Outcome:
        settings = {"errorPolicy": "throwError", **case.settings, **settings}
        return way.run(case.key, body, attachments=case.attachments, **settings)

    if case.key == "SystemEvents":
        for tag in ("one", "two"):
            way.lab.wire.do("POST", f"/images/{way.lab.image}/tag", repo="reliability/events", tag=tag)
            way.lab.wire.do("DELETE", f"/images/reliability/events:{tag}")
    return run


@every_case
@pytest.mark.parametrize("fault", ["none", "latency", "tiny pieces"])
def test_a_slow_way_changes_nothing(way: Way, case: Case, finish: Finish, fault: str) -> None:
    if fault == "latency":
        way.port.answers.delay = way.port.requests.delay = 0.02
    elif fault == "tiny pieces":
        way.port.answers.piece = 97 if case.key == "ContainerArchive" else 1
    outcome = finish()
    assert outcome.errors == []
    assert len(outcome.bodies) == 1
    assert case.whole(outcome.bodies[0]), outcome.bodies


@every_case
@pytest.mark.parametrize("ending", ["reset", "end"])
def test_a_connection_lost_before_the_head_is_no_answer(
    way: Way, case: Case, finish: Finish, ending: str
) -> None:
    way.port.answers.cut_after(0, clean=ending == "end", asked=case.asked)
    outcome = finish()
    assert outcome.bodies == []
    assert len(outcome.errors) == 1
    assert names(outcome) <= (WRITES if case.writes else READS)


@every_case
def test_a_read_that_lost_its_answer_once_is_repeated_and_a_write_is_not(
    way: Way, case: Case, finish: Finish
) -> None:
    way.port.answers.cut_after(0, once=True, asked=case.asked)
    outcome = finish()
    if case.writes:
        assert names(outcome) == WRITES
    else:
        assert outcome.errors == []
        assert case.whole(outcome.bodies[0])


@every_case
@pytest.mark.parametrize("ending", ["reset", "end"])
def test_an_answer_that_is_cut_is_never_taken_for_a_whole_one(
    way: Way, case: Case, finish: Finish, ending: str
) -> None:
    for size in SIZES:
        way.port.answers.cut_after(size, clean=ending == "end", asked=case.asked)
        outcome = finish()
        assert names(outcome) <= (WRITES if case.writes else READS), outcome.errors
        assert outcome.errors or case.whole(outcome.bodies[0]), outcome.bodies


@pytest.mark.parametrize("case", [case for case in CASES if case.writes], ids=str)
@pytest.mark.parametrize("policy", ["byComponent", "rebound"])
def test_a_message_whose_write_was_cut_does_not_come_again(
    way: Way, case: Case, finish: Finish, policy: str
) -> None:
    way.port.answers.cut_after(150, asked=case.asked)
    outcome = finish(errorPolicy=policy)
    assert outcome.rebounds == []
    assert outcome.errors or case.whole(outcome.bodies[0])


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.key not in ("PutContainerArchive", "ContainerWait")], ids=str
)
@pytest.mark.parametrize("size", [0, 260])
def test_silence_ends_at_the_limit_of_the_step(way: Way, case: Case, finish: Finish, size: int) -> None:
    way.port.answers.cut_after(size, silent=True, asked=case.asked)
    outcome = finish(idleSeconds="0.2", maxSeconds="0.4")
    if outcome.errors:
        assert names(outcome) <= ({"OutcomeUnknown", "LimitReached"} if case.writes else LATE)
    else:
        (body,) = outcome.bodies
        assert body.get("truncated") in ("idleSeconds", "maxSeconds") or case.whole(body), body


@pytest.mark.parametrize("direction", ["requests", "answers"])
def test_an_upload_that_nobody_takes_or_confirms_ends_in_time(
    way: Way, containers: dict[bool, str], direction: str
) -> None:
    times = Timeouts(transfer=Timeout(0.2, 0.2))
    body = Upload(repeat(b"x" * 65536, 1000), 65_536_000)
    getattr(way.port, direction).cut_after(0, silent=True, asked=b"/archive")
    with Engine(Endpoint.parse(way.url), timeouts=times) as engine, pytest.raises(OutcomeUnknown):
        put_container_archive(engine, {"id": containers[False], "path": "/tmp", "requestBody": body})


@pytest.mark.parametrize("size", [0, 200])
def test_a_wait_on_a_silent_connection_ends_in_time(way: Way, containers: dict[bool, str], size: int) -> None:
    times = Timeouts(wait=Timeout(0.2, None, 0.3))
    way.port.answers.cut_after(size, silent=True, asked=b"/wait")
    with Engine(Endpoint.parse(way.url), timeouts=times) as engine, pytest.raises(TimedOut):
        container_wait(engine, {"id": containers[True]})


def test_a_conversation_whose_end_never_comes_ends_at_the_limit(
    way: Way, containers: dict[bool, str]
) -> None:
    way.port.answers.ends = False
    body = {"id": containers[False], "logs": True, "stdout": True}
    heard = way.do("ContainerAttach", body, idleSeconds="5")
    assert heard["stdout"].count("\n") == 8
    assert (heard["truncated"], heard["exitCode"]) == ("idleSeconds", 0)


def test_a_port_that_takes_connections_and_says_nothing_is_no_answer(way: Way) -> None:
    way.port.freeze()
    times = Timeouts(short=Timeout(0.1, 0.1, 0.1))
    with Engine(Endpoint.parse(way.url), timeouts=times) as engine, pytest.raises(TimedOut):
        engine.version  # noqa: B018


def test_a_port_that_refuses_puts_the_message_back(way: Way) -> None:
    way.port.refuse()
    outcome = way.run("ContainerCreate", {"requestBody": {"Image": way.lab.image}})
    assert outcome.errors == []
    assert "No engine answers" in outcome.rebounds[0]


def test_an_answer_that_trickles_ends_at_the_limit_of_the_whole(way: Way) -> None:
    times = Timeouts(short=Timeout(60, 60, 6))  # the head has come by then, not all of the body
    with Engine(Endpoint.parse(way.url), timeouts=times) as engine:
        engine.version  # noqa: B018
        way.port.answers.piece, way.port.answers.pause = 100, 0.5
        with pytest.raises(TimedOut, match="stopped sending"):
            engine.get("/info")


def test_a_connection_asks_whether_the_other_machine_is_still_there(way: Way) -> None:
    with closing(connect(Endpoint.parse(way.url), 5, None)) as connection:
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
