"""Which events engineEvents tells, and what is wrong with a form."""

from __future__ import annotations

from typing import Any

import pytest

from lib.engine.errors import BadInput
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import PollHarness

KEY = "engineEvents"


@pytest.fixture
def desk(fake: FakeEngine) -> PollHarness:
    return PollHarness("engine_events", fake.config)


def names(emitted: Any) -> list[str]:
    return [body["name"] for body in emitted.of("event")]


def test_the_filter_may_change_without_a_reset(fake: FakeEngine, desk: PollHarness) -> None:
    desk.poll()
    fake.ring.publish(action="create")
    fake.ring.now += 5
    assert names(desk.poll(actions="die")) == []
    fake.ring.publish(action="die")
    fake.ring.now += 5
    assert names(desk.poll(actions="create, die")) == ["c1"]


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"types": ["image"]}, ["i"]),
        ({"types": "image, volume"}, ["i"]),
        ({"actions": "health_status"}, ["h"]),
        ({"actions": "health_status: unhealthy"}, ["h"]),
        ({"actions": "health_status: healthy"}, []),
        ({"scope": "swarm"}, ["s"]),
        ({"scope": "local"}, ["a", "i", "h"]),
        ({"names": "a, x*"}, ["a"]),
        ({"names": f"{0:012x}"}, ["a"]),
        ({"containers": ["h"], "names": "i"}, ["i", "h"]),
        ({"services": ["s"]}, ["s"]),
        ({"labels": ["team"]}, ["a", "h"]),
        ({"labels": ["team=shop"]}, ["a"]),
        ({"images": ["shop/web"]}, ["a", "h"]),
        ({"images": ["shop/web:2"]}, ["h"]),
        ({"includeExec": True}, ["a", "i", "h", "s", "e"]),
        ({"includeExec": "off"}, ["a", "i", "h", "s"]),
        ({"actions": "exec_start"}, ["e"]),
    ],
)
def test_events_are_chosen(
    fake: FakeEngine, desk: PollHarness, config: dict[str, Any], wanted: list[str]
) -> None:
    desk.poll()
    publish = fake.ring.publish
    publish(name="a", image="shop/web:1", team="shop")
    publish(name="i", kind="image", action="pull", image="other")
    publish(name="h", action="health_status: unhealthy", image="shop/web:2", team="other")
    publish(name="s", kind="service", scope="swarm", action="update", image="")
    publish(name="e", action="exec_start: /bin/check", image="")
    fake.ring.now += 5
    assert names(desk.poll(**config)) == wanted


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"startFrom": "since"}, "since: a time is missing"),
        ({"startFrom": "since", "since": "yesterday"}, "since .*: 'yesterday' is no time"),
        ({"startFrom": "later"}, "startFrom .*: 'later' is not possible"),
        ({"actions": "start, dye"}, r"actions .*: 'dye' is no action of an engine. Did you mean die"),
        ({"actions": "Die"}, "Did you mean die"),
        ({"scope": "world"}, "scope .*: 'world' is not possible"),
        ({"mode": "realTime", "realTimeSeconds": "a while"}, "realTimeSeconds .*: 'a while' is no number"),
        ({"mode": "realTime", "realTimeSeconds": "0"}, "from 1 to 3600"),
    ],
)
def test_a_wrong_field_is_named(
    fake: FakeEngine, desk: PollHarness, config: dict[str, Any], text: str
) -> None:
    """Fault 8.32: also a word in a list (9.24)."""
    with pytest.raises(BadInput, match=text):
        desk.poll(**config)
