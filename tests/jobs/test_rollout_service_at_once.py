"""RolloutService whose deliveries mix: another one runs to its end between two calls of the first.

The calls until an update is made are five: a look, then what holds, the tasks and the spec, and the update.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.actions.stepping import Outcome
from tests.jobs.swarms import inspected, made, service, swarm
from tests.jobs.test_rollout_service import BAD, EMIT, NEW
from tests.jobs.test_rollout_service_crashes import LABELS, Message, of_spec, proxy
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import SocketProxy
from tests.lab.waiting import wait_until

__all__ = ["proxy", "service", "swarm"]
pytestmark = pytest.mark.engine
UPDATE = 5
AT_ITS_CALLS = range(1, UPDATE + 1)


def at_call(proxy: SocketProxy, number: int, act: Callable[[], object]) -> None:
    """Have something done before the call of this number, of those that concern services."""
    calls: list[str] = []

    def before(call: str) -> None:
        if "/services" in call or "/tasks" in call:
            calls.append(call)
            if len(calls) == number:
                assert call.startswith("POST") == (number == UPDATE), calls
                act()

    proxy.before = before


def mixed(
    swarm: LabEngine, proxy: SocketProxy, number: int, fields: dict[str, Any], until: Callable[[], object]
) -> list[Any]:
    """What two deliveries of a message tell, the second of which ran within the first, to its end and longer."""
    message = Message(swarm.url, fields, EMIT)
    within: list[Outcome] = []

    def act() -> None:
        within.append(message())
        until()

    at_call(proxy, number, act)
    first = Message(proxy.url, fields, EMIT, message.key)()
    (second,) = within
    return [first.body, second.body]


@pytest.mark.parametrize("number", AT_ITS_CALLS)
@pytest.mark.parametrize("spec", [NEW, LABELS], ids=["tasks", "labels"])
def test_another_delivery_between_two_calls_updates_it_once(
    swarm: LabEngine, service: str, proxy: SocketProxy, spec: dict[str, Any], number: int
) -> None:
    made(swarm, service)
    version = inspected(swarm, service)["Version"]["Index"]

    def until() -> None:
        if spec is NEW:
            wait_until(lambda: of_spec(swarm, service, ["sleep", "700"]), "the new task")

    bodies = mixed(swarm, proxy, number, {"service": service, "spec": spec, "wait": False}, until)
    assert [(body["outcome"], body["changed"], len(body["plan"])) for body in bodies] == [
        ("started", True, 0),
        ("started", True, 1),
    ]
    assert bodies[0]["differences"] == bodies[1]["differences"]
    assert bodies[1]["before"]["version"] == version
    assert len(of_spec(swarm, service, ["sleep", "700"])) == (spec is NEW)


@pytest.mark.parametrize("number", [UPDATE - 1, UPDATE])
def test_another_delivery_that_is_rolled_back_between_two_calls_is_told(
    swarm: LabEngine, service: str, proxy: SocketProxy, number: int
) -> None:
    made(swarm, service)
    bodies = mixed(swarm, proxy, number, {"service": service, "spec": BAD}, lambda: None)
    assert [(body["outcome"], body["changed"], len(body["plan"])) for body in bodies] == [
        ("rolledBack", True, 0),
        ("rolledBack", True, 1),
    ]
