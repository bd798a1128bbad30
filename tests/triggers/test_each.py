"""Objects that are asked one by one: one that fails, hangs or is not reached does not hold up the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from lib.engine import Engine
from lib.engine.errors import Refused
from lib.sailor.message import Message
from lib.trigger.faults import Fault
from lib.trigger.parallel import parallel
from lib.trigger.trigger import Finding, Found, Poll, trigger
from lib.trigger.turn import Turn
from tests.lab.waiting import DEADLINE
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import Emitted, Lines, Surroundings


@dataclass(frozen=True)
class Places:
    """A count for each object: how often it was looked at."""

    counts: Mapping[str, int]

    def to_state(self) -> dict[str, Any]:
        return {"counts": dict(self.counts)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Places:
        return cls(state["counts"])


NAMES = ("a", "b", "c", "d")


def look(engine: Engine, name: str) -> int:
    return int(engine.get(f"/objects/{name}").json()["number"])


@trigger("containerLogs", read=Places.from_state, sample={})
def handler(poll: Poll[Places]) -> Found[Places]:
    before = poll.state.counts if poll.state else {}
    known = dict(before)
    found = []
    for name, number in poll.each(NAMES, look, key=str, name=str, seconds=SECONDS):
        known[name] = known.get(name, 0) + 1
        found.append(Finding({"name": name, "number": number}, f"{name} {number}"))
    return Found(found, Places(known))


SECONDS = 60.0


class Step:
    """Runs the handler above with the snapshot of its last run."""

    def __init__(self, fake: FakeEngine) -> None:
        self.fake = fake
        self.answers: dict[str, Any] = {}
        self.snapshot: Any = {}
        for name in NAMES:
            fake.routes[f"/objects/{name}"] = lambda _, name=name: self.answer(name)

    def answer(self, name: str) -> Any:
        given = self.answers.get(name, (200, {"number": 1}))
        return given() if callable(given) else given

    def poll(self, dies_after: int | None = None) -> Emitted:
        emitted = Emitted(dies_after=dies_after)
        surroundings = Surroundings(emitted, Lines())
        try:
            handler.declared.process(surroundings, Message(), self.fake.config, self.snapshot)  # type: ignore[attr-defined]
        finally:
            self.snapshot = emitted.snapshots[-1] if emitted.snapshots else self.snapshot
        return emitted


@pytest.fixture
def step(fake: FakeEngine) -> Step:
    return Step(fake)


def looked_at(emitted: Emitted) -> list[str]:
    return [body["name"] for body in emitted.bodies if "number" in body]


def warnings(emitted: Emitted) -> list[tuple[str, str]]:
    return [(body["reason"], body["object"]) for body in emitted.of("warning")]


def test_fault_9_15_an_object_that_fails_is_told_once_and_the_others_go_on(step: Step) -> None:
    step.answers["b"] = (500, {"message": "driver failed"})
    first = step.poll()
    assert looked_at(first) == ["a", "c", "d"]
    assert warnings(first) == [("objectFailed", "b")]
    assert "driver failed" in first.of("warning")[0]["message"]
    assert warnings(step.poll()) == []
    assert step.snapshot["counts"] == {"a": 2, "c": 2, "d": 2}


def test_fault_9_15_a_failure_of_another_kind_is_told_and_one_after_it_was_well(step: Step) -> None:
    told = []
    for answer in [(500, {"message": "x"}), (409, {"message": "removing"}), (200, {"number": 1})] * 2:
        step.answers["b"] = answer
        emitted = step.poll()
        told += [message.id for message in emitted.messages if message.body.get("kind") == "warning"]
    assert len(told) == len(set(told)) == 4


def test_fault_9_15_a_warning_that_is_repeated_after_a_kill_has_the_same_id(step: Step) -> None:
    step.answers["b"] = (500, {"message": "x"})
    before = step.snapshot
    first = step.poll()
    step.snapshot = before
    assert step.poll().ids == first.ids


@pytest.mark.parametrize("odd", [{}, [], "text", {"number": None}])
def test_fault_9_14_an_answer_of_another_shape_is_the_objects_fault(step: Step, odd: Any) -> None:
    step.answers["b"] = (200, odd)
    emitted = step.poll()
    assert looked_at(emitted) == ["a", "c", "d"]
    assert warnings(emitted) == [("objectFailed", "b")]


def test_fault_9_15_an_object_that_hangs_is_told_and_holds_nobody_up(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.triggers.test_each.SECONDS", 0.3)
    released = threading.Event()
    step.answers["b"] = lambda: (released.wait(DEADLINE), (200, {"number": 1}))[1]
    emitted = step.poll()
    released.set()
    assert looked_at(emitted) == ["a", "c", "d"]
    assert warnings(emitted) == [("objectFailed", "b")]


def poll_of(fake: FakeEngine, turn: Turn) -> Poll[Any]:
    from lib.credentials import open_engine

    return Poll(open_engine(fake.config), {}, 0, Lines(), turn=turn)


def test_fault_9_15_what_a_poll_does_not_reach_comes_first_in_the_next(fake: FakeEngine) -> None:
    step = Step(fake)
    turn = Turn()

    def last(engine: Engine, name: str) -> int:
        if name == "b":
            turn.until = 0.0  # the poll's time is over with this call
        return look(engine, name)

    missed: list[str] = []
    poll = poll_of(fake, turn)
    reached = poll.each(NAMES, last, key=str, name=str, missed=missed.append, at_once=1)
    assert [name for name, _ in reached] == ["a", "b"]
    assert missed == ["c", "d"]
    assert poll.notices == []
    following = poll_of(step.fake, Turn.from_state(turn.to_state(), DEADLINE))
    assert [name for name, _ in following.each(NAMES, look, key=str, name=str)] == ["c", "d", "a", "b"]


def test_fault_9_15_a_turn_that_names_nobody_begins_somewhere(fake: FakeEngine) -> None:
    Step(fake)
    poll = poll_of(fake, Turn.from_state({"turn": "A" * 10}, DEADLINE))
    assert sorted(name for name, _ in poll.each(NAMES, look, key=str, name=str)) == list(NAMES)


def test_fault_9_15_what_is_skipped_is_not_told_again(fake: FakeEngine) -> None:
    step = Step(fake)
    step.answers["b"] = (500, {"message": "x"})
    turn = Turn()
    for skips, told in ((False, 1), (True, 0), (False, 0)):
        poll = poll_of(fake, turn)
        if skips:
            poll.skip("b")
        else:
            list(poll.each(NAMES, look, key=str, name=str))
        assert len(poll.notices) == told
        turn = Turn.from_state(turn.to_state(), DEADLINE)


def test_a_trigger_says_itself_what_a_failure_means(fake: FakeEngine) -> None:
    step = Step(fake)
    step.answers["b"] = (409, {"message": "x"})
    step.answers["c"] = (404, {"message": "gone"})

    def fault(name: str, error: Exception) -> Fault | None:
        assert isinstance(error, Refused)
        return None if error.status == 404 else Fault("unreadable", f"{name} has no log", {"object": name})

    poll = poll_of(fake, Turn())
    assert [name for name, _ in poll.each(NAMES, look, key=str, name=str, fault=fault)] == ["a", "d"]
    assert [(one.body["reason"], one.body["message"]) for one in poll.notices] == [
        ("unreadable", "b has no log")
    ]


def test_calls_run_at_once_up_to_their_number_and_come_in_order() -> None:
    together = threading.Barrier(3)

    def meet(number: int) -> int:
        together.wait(DEADLINE)  # passes only where three are here at once
        return number * 2

    found = [(thing, outcome()) for thing, outcome in parallel(range(9), meet, 3)]
    assert found == [(number, number * 2) for number in range(9)]


def test_what_is_left_when_the_caller_has_enough_is_not_begun() -> None:
    begun = []
    outcomes: Iterator[Any] = parallel(range(1000), begun.append, 2)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    assert len(begun) < 20
