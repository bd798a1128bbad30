"""Builds by BuildKit whose session, stream or engine is lost, and those that a limit ends: what is told and left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from lib.sailor.message.ids import random_id
from tests.actions.stepping import Outcome, forget_engines
from tests.integration.operations.kinds import KINDS
from tests.integration.operations.proving import Body
from tests.integration.operations.site import Site
from tests.integration.operations.test_buildkit import build, name
from tests.integration.operations.test_buildkit_session import mount
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.gate import Gate
from tests.lab.newer import NewerEngineError
from tests.lab.skipping import skip_anywhere
from tests.lab.waiting import ended

__all__ = ["name"]

pytestmark = pytest.mark.engine
# The oldest engine, one between, and the newest one with the image store that engines have by default since.
NAMES = ["20.10", "26.1", "28.5-containerd"]
ENGINES = pytest.mark.parametrize("site", NAMES, indirect=True)
# What POST /build takes, and what goes to BuildKit's own service.
CALLS = pytest.mark.parametrize("more", [{}, {"cacheTo": [{"type": "inline"}]}], ids=["build", "solve"])


@pytest.fixture
def way(site: Site) -> Iterator[FaultyProxy]:
    with FaultyProxy(site.lab.socket) as proxy:
        yield proxy
    forget_engines()


@pytest.fixture
def gate(site: Site) -> Iterator[Gate]:
    with Gate(site.lab.namespace) as gate:
        yield gate


class Building(threading.Thread):
    """A build under way; `outcome` is there when it has ended."""

    def __init__(self, site: Site, body: Body, **settings: Any) -> None:
        super().__init__(daemon=True)
        self.outcome: Outcome | None = None
        self._run = lambda: site.run("ImageBuild", body, **{"errorPolicy": "throwError", **settings})
        self.start()

    def run(self) -> None:
        self.outcome = self._run()

    def ended(self) -> Outcome:
        ended(self)
        assert self.outcome is not None
        return self.outcome

    def error(self) -> tuple[str, str]:
        outcome = self.ended()
        assert outcome.messages == []
        (error,) = outcome.errors
        return error["name"], error["message"]


def through(way: FaultyProxy) -> dict[str, str]:
    return {"otherServer": f"http://{way.host}:{way.port}"}


def lost(told: tuple[str, str]) -> bool:
    """Whether a later build may work: no image was made."""
    return told[0] == "StreamCut" and "The connection of the build session was lost" in told[1]


@ENGINES
@pytest.mark.parametrize("place", ["at once", "before use"])
def test_a_session_that_is_cut_before_it_is_used(site: Site, name: str, way: FaultyProxy, place: str) -> None:
    # An engine's first bytes are its answer of some 80, the preface of HTTP/2 and its settings.
    way.answers.cut_after(20 if place == "at once" else 200, asked=b"/session")
    body = build(site, name, mount("token", f"cat /run/secrets/token; echo {random_id()}"))
    told = Building(site, body | {"secrets": {"token": "hush-hush"}}, **through(way)).error()
    if place == "at once":
        assert told[0] == "NoAnswer"
        assert "No build was begun" in told[1]
    else:
        assert lost(told), told


@ENGINES
@pytest.mark.parametrize("use", ["secret", "archive"])
def test_a_session_that_is_cut_while_it_is_used(site: Site, name: str, way: FaultyProxy, use: str) -> None:
    line = mount("token", f"wc -c /run/secrets/token; echo {random_id()}", required="true")
    body = build(site, name, line, secrets={"token": "hush-hush" * 44_000})
    if use == "secret":
        way.requests.cut_after(100_000, asked=b"/session")
    else:
        body["outputs"] = [{"type": "tar"}]
        way.answers.cut_after(300_000, asked=b"/session")
    told = Building(site, body, **through(way)).error()
    assert lost(told), told
    assert "hush" not in told[1]


@ENGINES
def test_a_session_that_is_cut_after_its_use_does_no_harm(
    site: Site, name: str, way: FaultyProxy, gate: Gate
) -> None:
    line = mount("token", f"wc -c /run/secrets/token; {gate.command}")
    built = Building(site, build(site, name, line, secrets={"token": "hush-hush"}), **through(way))
    gate.entered()
    way.answers.cut_after(0, asked=b"/session")  # at the next question whether it lives
    gate.open()
    outcome = built.ended()
    assert not outcome.errors
    found = site.engine.wire.do("GET", f"/images/{name}/json").json()
    assert outcome.bodies[0]["id"] == found["Id"]


@ENGINES
def test_a_session_that_nobody_answers_begins_no_build(site: Site, name: str, way: FaultyProxy) -> None:
    way.answers.cut_after(0, silent=True, asked=b"/session")
    told = Building(site, build(site, name), **through(way), maxSeconds="2").error()
    assert told[0] == "NoAnswer"
    assert "No build was begun" in told[1]


@ENGINES
@CALLS
def test_a_stream_that_is_cut_ends_the_step(
    site: Site, name: str, way: FaultyProxy, gate: Gate, more: Body
) -> None:
    built = Building(site, build(site, name, f"RUN {gate.command}", **more), **through(way))
    gate.entered()
    way.reset()
    assert built.error()[0] == "OutcomeUnknown"
    gate.abandoned()


@ENGINES
@CALLS
def test_a_limit_ends_the_step(site: Site, name: str, gate: Gate, more: Body) -> None:
    # Idle for so long: a step that runs says nothing.
    built = Building(site, build(site, name, f"RUN {gate.command}", **more), idleSeconds="3")
    gate.entered()
    name_, text = built.error()
    assert name_ == "LimitReached"
    assert "idleSeconds" in text
    gate.abandoned()
    assert site.engine.wire.ask("GET", f"/images/{name}/json").status == 404


@pytest.fixture(scope="module", params=NAMES)
def own(request: pytest.FixtureRequest) -> Iterator[Site]:
    """An engine that tests may end."""
    try:
        engine = KINDS[request.param].start(3)
    except (PrivateEngineError, LocalImageError, NewerEngineError) as problem:
        skip_anywhere(f"no engine {request.param}: {problem}")
    site = Site(request.param, engine)
    yield site
    site.close()


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_an_engine_that_ends_leaves_an_unknown_outcome_and_builds_again(own: Site, end: str) -> None:
    name = f"lab/{random_id()}:1"
    with Gate(own.lab.namespace) as gate:
        built = Building(own, build(own, name, f"RUN {gate.command}"))
        gate.entered()
        (own.lab.kill if end == "kill" else own.lab.stop)()
        told = built.error()
        assert told[0] in ("OutcomeUnknown", "StreamFailed", "StreamCut"), told
        # A step outlives its engine, which knows nothing of it any more: nobody but its own work can end it.
        gate.open()
        gate.left()
        own.lab.start()
    assert own.engine.wire.ask("GET", f"/images/{name}/json").status == 404
    assert own.do("ImageBuild", build(own, name))["id"]


def test_an_engine_that_is_frozen_for_a_while_goes_on(own: Site) -> None:
    name = f"lab/{random_id()}:1"
    with Gate(own.lab.namespace) as gate:
        built = Building(own, build(own, name, f"RUN {gate.command}"))
        gate.entered()
        own.lab.freeze()
        own.lab.thaw()
        gate.open()
        outcome = built.ended()
    assert not outcome.errors
    assert outcome.bodies[0]["id"]


@ENGINES
def test_a_build_that_is_cancelled_at_the_engine_says_so(site: Site, name: str, gate: Gate) -> None:
    own = random_id()
    built = Building(site, build(site, name, f"RUN {gate.command}", buildid=own))
    gate.entered()
    site.engine.wire.do("POST", "/build/cancel", id=own)
    assert built.error() == ("StreamFailed", "The build was cancelled at the engine")
    gate.abandoned()


@ENGINES
def test_builds_of_one_name_at_once_each_tell_their_own_image(site: Site, name: str) -> None:
    builds = [Building(site, build(site, name, f"RUN echo {number} > /a")) for number in range(3)]
    ids = {built.ended().bodies[0]["id"] for built in builds}
    assert len(ids) == 3
    assert site.engine.wire.do("GET", f"/images/{name}/json").json()["Id"] in ids
