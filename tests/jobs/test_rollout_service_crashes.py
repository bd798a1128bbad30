"""RolloutService that dies, comes twice at once, or loses its manager: the update is sent once, and told in the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import Outcome, forget_engines, run_step
from tests.jobs.crash import AFTER, BEFORE, Death, Delivery, deaths
from tests.jobs.step_process import BaseProcess
from tests.jobs.swarms import inspected, made, running, service, swarm, tasks, update_state, updates
from tests.jobs.test_rollout_service import BAD, EMIT, KEY, NEW, NOWHERE, brief, rollout
from tests.lab.at_once import at_once, beside
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.socket_proxy import SocketProxy
from tests.lab.waiting import wait_until

__all__ = ["service", "swarm"]
pytestmark = pytest.mark.engine
LABELS = {"Labels": {"tier": "web"}}
LEADERLESS = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that"
AWAY = [
    ("503 Service Unavailable", LEADERLESS),
    ("500 Internal Server Error", "rpc error: code = DeadlineExceeded desc = context deadline exceeded"),
    ("502 Bad Gateway", "no answer"),
    ("504 Gateway Timeout", "no answer"),
    ("429 Too Many Requests", "slowly"),
]


def answer(status: str, text: str) -> bytes:
    """An error as an engine tells it."""
    body = json.dumps({"message": text}).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@dataclass
class Message:
    """One message that is delivered in this process, as often as it is called, also at one moment."""

    engine: str
    body: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)
    key: str = field(default_factory=random_id)

    def __call__(self, **more: Any) -> Outcome:
        body = {**self.body, "idempotencyKey": self.key, **more}
        outcome = run_step(KEY, body, {"server": "2", "otherServer": self.engine, **self.settings})
        assert outcome.errors == []
        return outcome


@pytest.fixture
def proxy(swarm: LabEngine) -> Iterator[SocketProxy]:
    """A way to the swarm on which answers can be given in its place."""
    with SocketProxy(swarm.socket, ".*") as proxy:
        yield proxy
        forget_engines()


def of_spec(engine: LabEngine, name: str, command: list[str]) -> list[Any]:
    """The tasks that were made from a command."""
    return [one for one in tasks(engine, name) if one["Spec"]["ContainerSpec"]["Command"] == command]


@pytest.mark.parametrize("die", deaths(1))
@pytest.mark.parametrize("spec", [NEW, LABELS], ids=["tasks", "labels"])
def test_killed_at_its_call_the_update_is_sent_once(
    swarm: LabEngine, service: str, spec: dict[str, Any], die: Death
) -> None:
    made(swarm, service)
    delivery = Delivery(swarm, KEY, {"service": service, "spec": spec})
    dead = delivery.run(die)
    assert (dead.finished, dead.published) == (None, [])
    again = delivery.run()
    assert again.finished
    (body,) = again.bodies
    assert brief(body) == ("converged", True, 1, 1)
    assert any(one["path"].startswith(next(iter(spec))) for one in body["differences"])
    assert len(again.calls) == (1 if die[1] == BEFORE else 0)
    assert updates(swarm, service, delivery.began) == 1
    third = delivery.run()
    assert third.ids == again.ids
    assert (brief(third.bodies[0]), third.calls) == (("converged", True, 1, 1), [])


def test_killed_while_it_waits_the_next_delivery_waits_on(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    delivery = Delivery(swarm, KEY, {"service": service, "spec": NEW})

    def kill(process: BaseProcess) -> None:
        wait_until(lambda: of_spec(swarm, service, ["sleep", "700"]), "the new task")
        process.kill()

    def end(process: BaseProcess) -> None:
        seen = len(delivery.looks)
        wait_until(lambda: len(delivery.looks) > seen + 6, "it to wait")
        process.terminate()

    assert delivery.run(during=kill).published == []
    stopped = delivery.run(during=end)
    assert (stopped.bodies, stopped.calls) == ([], [])
    again = delivery.run()
    assert (brief(again.bodies[0]), again.calls) == (("converged", True, 1, 1), [])
    assert updates(swarm, service, delivery.began) == 1


@pytest.mark.parametrize("side", [BEFORE, AFTER])
def test_killed_a_repeat_after_a_rollback_tells_it_and_sends_nothing(
    swarm: LabEngine, service: str, side: str
) -> None:
    made(swarm, service)
    delivery = Delivery(swarm, KEY, {"service": service, "spec": BAD}, EMIT)
    delivery.run((1, side))
    if side == AFTER:
        state = "rollback_completed"
        wait_until(lambda: update_state(swarm, service) == state, state)
    for _ in range(2):
        (body,) = delivery.run().bodies
        assert (body["outcome"], body["changed"], body["desired"]) == ("rolledBack", True, 1)
        assert body["failed"][0]["lines"] == ["no database"]
    assert updates(swarm, service, delivery.began) == 1


@pytest.mark.parametrize("spec", [NEW, LABELS], ids=["tasks", "labels"])
def test_a_repeat_after_another_change_does_not_undo_it(
    swarm: LabEngine, service: str, spec: dict[str, Any]
) -> None:
    made(swarm, service)
    message = Message(swarm.url, {"service": service, "spec": spec}, EMIT)
    assert brief(message().bodies[0]) == ("converged", True, 1, 1)
    other = (
        {"Labels": {"tier": "db"}}
        if spec is LABELS
        else {"TaskTemplate": {"ContainerSpec": {"Command": ["sleep", "800"]}}}
    )
    rollout(swarm, service, spec=other)
    before = inspected(swarm, service)
    (body,) = message().bodies
    assert (body["outcome"], body["reached"], body["plan"]) == ("notReached", False, [])
    assert "changed by something else" in body["message"]
    assert inspected(swarm, service) == before


def test_it_fails_where_one_key_has_two_inputs(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    message = Message(swarm.url, {"service": service, "spec": NEW, "wait": False}, {"errorPolicy": "emit"})
    assert message().bodies[0]["outcome"] == "started"
    before = inspected(swarm, service)["Spec"]
    (body,) = message(spec=LABELS).bodies
    assert body["error"]["name"] == "NotSettled"
    assert inspected(swarm, service)["Spec"] == before


def test_several_deliveries_at_once_update_it_once(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    message = Message(swarm.url, {"service": service, "spec": NEW})
    version = inspected(swarm, service)["Version"]["Index"]
    bodies = [outcome.body for outcome in at_once(*[message] * 4)]
    assert [brief(body) for body in bodies] == [("converged", True, 1, 1)] * 4
    assert [len(body["plan"]) for body in bodies].count(1) == 1
    assert {body["before"]["version"] for body in bodies} >= {version}
    assert len(of_spec(swarm, service, ["sleep", "700"])) == 1


def test_a_service_that_changes_between_look_and_update_is_read_again(
    swarm: LabEngine, service: str, proxy: SocketProxy
) -> None:
    made(swarm, service)
    late = {"Labels": {"late": "yes"}}

    def before(call: str) -> None:
        if call.startswith("POST") and "late" not in inspected(swarm, service)["Spec"].get("Labels", {}):
            rollout(swarm, service, spec=late, wait=False)

    proxy.before = before
    (body,) = Message(proxy.url, {"service": service, "spec": NEW})().bodies
    assert brief(body) == ("converged", True, 1, 1)
    assert len(body["plan"]) == 1
    assert inspected(swarm, service)["Spec"]["Labels"]["late"] == "yes"


def test_it_fails_where_others_change_it_all_the_time(
    swarm: LabEngine, service: str, proxy: SocketProxy
) -> None:
    made(swarm, service)
    turns = iter(range(100))

    def before(call: str) -> None:
        if call.startswith("POST"):
            rollout(swarm, service, spec={"Labels": {"turn": str(next(turns))}}, wait=False)

    proxy.before = before
    (body,) = Message(proxy.url, {"service": service, "spec": NEW}, {"errorPolicy": "emit"})().bodies
    assert (body["error"]["name"], next(turns)) == ("EngineFault", 20)
    assert inspected(swarm, service)["Spec"]["TaskTemplate"]["ContainerSpec"]["Command"] == ["sleep", "600"]


@pytest.mark.parametrize("spec", [NEW, LABELS], ids=["tasks", "labels"])
def test_an_update_whose_answer_is_lost_succeeds_and_is_made_once(
    swarm: LabEngine, service: str, spec: dict[str, Any]
) -> None:
    identity = made(swarm, service)
    version = inspected(swarm, service)["Version"]["Index"]
    with FaultyProxy(swarm.socket) as way:
        way.answers.cut_after(0, asked=f"/services/{identity}/update".encode(), once=True)
        message = Message(f"http://{way.host}:{way.port}", {"service": service, "spec": spec})
        (body,) = message().bodies
        assert way.answers.limit is None, "nothing was cut"
        forget_engines()
    assert brief(body) == ("converged", True, 1, 1)
    assert (len(body["plan"]), body["before"]["version"]) == (1, version)


def test_an_update_that_never_arrived_is_sent_again(
    swarm: LabEngine, service: str, proxy: SocketProxy
) -> None:
    made(swarm, service)
    cut = iter([b"HTTP/1.1 200"])
    proxy.before = lambda call: next(cut, None) if call.startswith("POST") else None
    (body,) = Message(proxy.url, {"service": service, "spec": NEW})().bodies
    assert brief(body) == ("converged", True, 1, 1)
    assert len([call for call in proxy.calls if call.startswith("POST")]) == 2


def test_a_manager_without_a_leader_is_waited_for(swarm: LabEngine, service: str, proxy: SocketProxy) -> None:
    made(swarm, service)
    lost = iter([answer(*one) for one in AWAY])
    proxy.before = lambda _: next(lost, None) if of_spec(swarm, service, ["sleep", "700"]) else None
    (body,) = Message(proxy.url, {"service": service, "spec": NEW})().bodies
    assert brief(body) == ("converged", True, 1, 1)
    assert next(lost, None) is None
    error = {"errorPolicy": "emit"}
    proxy.before = lambda _: answer("503 Service Unavailable", LEADERLESS)
    (body,) = Message(proxy.url, {"service": service, "spec": NEW}, error)().bodies
    assert body["error"]["name"] == "EngineFault"


def test_a_manager_that_dies_meanwhile_is_waited_for(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    waiting = beside(Message(swarm.url, {"service": service, "spec": NEW}))
    wait_until(lambda: of_spec(swarm, service, ["sleep", "700"]), "the new task")
    swarm.kill()
    swarm.start()
    assert brief(waiting.result().body) == ("converged", True, 1, 1)
    assert len(running(swarm, service)) == 1


def test_a_swarm_that_is_left_meanwhile_fails(swarm: LabEngine, service: str, proxy: SocketProxy) -> None:
    """An engine that manages no more is no manager that is away."""
    made(swarm, service)
    gone = answer("503 Service Unavailable", "This node is not a swarm manager.")
    proxy.before = lambda _: gone if of_spec(swarm, service, ["sleep", "700"]) else None
    (body,) = Message(proxy.url, {"service": service, "spec": NEW}, {"errorPolicy": "emit"})().bodies
    assert body["error"]["name"] == "NoManager"


@pytest.mark.parametrize("refusal", ["400 Bad Request", "403 Forbidden"])
def test_it_succeeds_where_the_hidden_filter_and_nodes_are_refused(
    swarm: LabEngine, service: str, proxy: SocketProxy, refusal: str
) -> None:
    made(swarm, service, Mode={"Replicated": {"Replicas": 2}})

    def before(call: str) -> bytes | None:
        hidden = "_up-to-date" in proxy.targets[-1]
        return answer(refusal, "no") if hidden or (call == "GET /nodes" and "403" in refusal) else None

    proxy.before = before
    change = {"TaskTemplate": {**NEW["TaskTemplate"], "Resources": {"Limits": {"Pids": 100}}}}
    (body,) = Message(proxy.url, {"service": service, "spec": change})().bodies
    assert brief(body) == ("converged", True, 2, 2)
    assert any("_up-to-date" in target for target in proxy.targets)


def test_a_service_that_goes_meanwhile_fails(swarm: LabEngine, service: str, proxy: SocketProxy) -> None:
    made(swarm, service)

    def before(call: str) -> None:
        if call == "GET /nodes":
            swarm.wire.ask("DELETE", f"/services/{service}")

    proxy.before = before
    (body,) = Message(proxy.url, {"service": service, "spec": NEW}, {"errorPolicy": "emit"})().bodies
    assert body["error"]["name"] == "NotFound"


def test_a_slow_swarm_that_pauses_between_tasks_succeeds(swarm: LabEngine, service: str) -> None:
    """Between two tasks nothing moves for longer than a swarm that has given up is given."""
    pause = {"Delay": 35 * 10**9}
    made(swarm, service, Mode={"Replicated": {"Replicas": 2}}, UpdateConfig=pause)
    assert brief(rollout(swarm, service, spec=NEW)) == ("converged", True, 2, 2)


def test_the_time_of_the_step_is_up_and_a_repeat_waits_on(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    message = Message(swarm.url, {"service": service, "spec": NEW}, {"maxSeconds": 1})
    first = message()
    assert (len(first.rebounds), first.bodies, first.errors) == (1, [], [])
    message.settings = {}
    assert brief(message().bodies[0]) == ("converged", True, 1, 1)
    late: Callable[..., Outcome] = Message(
        swarm.url, {"service": service, "spec": NOWHERE}, {"maxSeconds": 1, "whenTimeIsUp": "emit"}
    )
    (body,) = late().bodies
    assert (body["outcome"], body["reached"], body["changed"]) == ("notReached", False, True)
