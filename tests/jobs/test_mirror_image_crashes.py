"""Mirror jobs that die before and after each of their changing calls: one copy, and the engine as it was before."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lib.job.mirror.memo import volume_of
from lib.job.repeat import UNTIL
from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.crash import AFTER, Delivery, deaths
from tests.jobs.engines import config
from tests.jobs.mirrors import KEY, Mirrors, lab, plain
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.registry_content import put_image

__all__ = ["lab"]
pytestmark = pytest.mark.engine
CALLS = 7
"""Memo, pull, tag, push, two names, memo."""
BY_PLACE = pytest.mark.parametrize("die", deaths(CALLS), ids=lambda die: f"{die[0]}-{die[1]}")


def delivery(lab: Mirrors, source: str, target: str, **fields: Any) -> Delivery:
    body = {"from": source, "to": target, **fields}
    return Delivery(lab.engine, KEY, body, {"errorPolicy": "throwError"})


@BY_PLACE
@pytest.mark.shows(KEY, "killed")
def test_killed_at_any_change_it_comes_to_its_end(lab: Mirrors, die: tuple[int, str]) -> None:
    source, target = lab.published()
    with lab.unchanged():
        message = delivery(lab, source, target)
        dead = message.run(die)
        copied = lab.digest(target)
        life = message.run()
        assert (dead.errors, life.errors, life.finished) == ([], [], True)
        (body,) = life.bodies
    assert len(message.told) == 1
    assert body["digestTo"] == lab.digest(target) != ""
    assert copied in ("", body["digestTo"])  # the registry sees one effect
    # Once the names are gone, an engine that wrote another manifest has forgotten whose it is, and pushes it again.
    forgot = not lab.containerd and (die == (5, AFTER) or die[0] > 5)
    assert len(message.events("push", "image")) == (2 if forgot else 1)
    # Only once the platform has the message the memo goes, and with it what was before.
    over = die == (CALLS, AFTER)
    assert (body["changed"], body["digestBefore"]) == (not over, body["digestTo"] if over else "")
    assert not message.left()


@pytest.mark.parametrize("die", [(2, AFTER), (3, AFTER), (4, AFTER), (5, AFTER)], ids=lambda die: f"{die[0]}")
@pytest.mark.shows(KEY, "killed")
def test_a_dead_run_is_tidied_up_after_by_another_message(lab: Mirrors, die: tuple[int, str]) -> None:
    source, target = lab.published()
    with lab.unchanged():
        delivery(lab, source, target).run(die)
        put_image(lab.a, plain(source), mark=random_id())
        _expire(lab, target)
        body = lab.mirror(source, target)
    assert body["digestFrom"] == lab.digest(source)
    assert body["digestTo"] == lab.digest(target) != ""


def test_a_run_at_work_is_waited_for(lab: Mirrors) -> None:
    source, target = lab.published()
    delivery(lab, source, target).run((3, AFTER))
    body = {"from": source, "to": target}
    waited = run_step(KEY, body, config(lab.engine, maxSeconds="0.3"))
    assert (waited.bodies, len(waited.rebounds)) == ([], 1)
    assert "Another run mirrors to" in waited.rebounds[0]
    failed = run_step(
        KEY, body, config(lab.engine, maxSeconds="0.3", whenTimeIsUp="fail", errorPolicy="emit")
    )
    assert failed.bodies[0]["error"]["name"] == "NotReached"
    _expire(lab, target)
    assert lab.mirror(source, target)["reached"]
    assert lab.image(target) is None


def test_the_tag_moves_between_two_deliveries(lab: Mirrors) -> None:
    source, target = lab.published()
    with lab.unchanged():
        message = delivery(lab, source, target)
        message.run((4, AFTER))
        put_image(lab.a, plain(source), mark=random_id())
        (body,) = message.run().bodies
    assert body["digestFrom"] == lab.digest(source)
    assert (body["changed"], body["digestTo"]) == (True, lab.digest(target))
    assert not message.left()


@pytest.mark.shows(KEY, "at_once")
def test_two_deliveries_at_once_come_to_one_end(lab: Mirrors) -> None:
    source, target = lab.published()
    with lab.unchanged():
        message = delivery(lab, source, target)
        with ThreadPoolExecutor(2) as pool:
            lives = list(pool.map(lambda _: message.run(), range(2)))
        assert [life.errors for life in lives] == [[], []]
        assert all(life.finished and life.bodies for life in lives)
    assert len(message.told) == 1
    assert {life.bodies[0]["digestTo"] for life in lives} == {lab.digest(target)}
    assert not message.left()


@pytest.mark.parametrize("call", ["/images/create", "/push", "/tag", "/volumes/create"])
def test_an_answer_that_is_lost(lab: Mirrors, call: str) -> None:
    source, target = lab.published()
    proxy = FaultyProxy(lab.engine.socket)
    try:
        proxy.answers.cut_after(0, asked=call.encode(), once=True)
        address = {"server": "2", "otherServer": f"http://{proxy.host}:{proxy.port}"}
        body = {"from": source, "to": target, "idempotencyKey": random_id()}
        with lab.unchanged():
            outcome = run_step(KEY, body, address)
            assert outcome.errors == []
            if not outcome.bodies:
                assert len(outcome.rebounds) == 1
                outcome = run_step(KEY, body, address)
        (found,) = outcome.bodies
    finally:
        proxy.close()
    assert found["digestTo"] == lab.digest(target) != ""


def _expire(lab: Mirrors, target: str) -> None:
    """Let the time of the run be over whose memo the engine has."""
    name = volume_of(target)
    labels = lab.engine.wire.do("GET", f"/volumes/{name}").json()["Labels"]
    assert int(labels[UNTIL]) > time.time()
    lab.engine.wire.do("DELETE", f"/volumes/{name}")
    lab.engine.wire.do("POST", "/volumes/create", {"Name": name, "Labels": {**labels, UNTIL: "1"}})
