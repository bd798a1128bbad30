"""The trigger containerLogs where an engine answers as real ones seldom do."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lib.sailor.standalone.folder import FolderStates
from lib.trigger.clock import iso
from lib.trigger.cursor import LIMIT
from lib.trigger.events.recent import Place as EventsPlace
from lib.trigger.logs.frames import HASH
from lib.trigger.logs.places import FINISHED, MUTE, NAME, Place, Places
from lib.trigger.logs.position import Position
from lib.trigger.marks.compact import mark
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.logs.log_model import Log
from tests.triggers.poll_harness import Emitted, PollHarness, size

SECOND = 1_000_000_000
FRAGMENT = 16384


class Logs:
    """Containers of a fake engine: `state` and `shown` of each, the bytes of its log or a refusal."""

    def __init__(self, fake: FakeEngine) -> None:
        self.fake = fake
        self.listed: dict[str, tuple[str, str]] = {}
        self.logs: dict[str, Any] = {}
        fake.routes["/containers/json"] = lambda _: (200, [self.entry(name) for name in self.listed])

    def entry(self, name: str) -> dict[str, Any]:
        state, shown = self.listed[name]
        return {"Id": identity(name), "Names": [f"/{name}"], "State": state, "Status": shown, "Created": 1}

    def put(self, name: str, state: str, shown: str, log: Any) -> None:
        self.listed[name], self.logs[name] = (state, shown), log
        self.fake.routes[f"/containers/{identity(name)}/logs"] = lambda _: self.answer(name)

    def answer(self, name: str) -> tuple[int, Any]:
        log = self.logs[name]
        return log if isinstance(log, tuple) else (200, log)


def identity(name: str) -> str:
    return name.encode().hex().ljust(64, "0")


def line(seconds: int, text: str) -> bytes:
    payload = f"{iso(seconds * SECOND)} {text}\n".encode()
    return b"\1\0\0\0" + len(payload).to_bytes(4) + payload


def texts(emitted: Emitted) -> list[str]:
    return [body["text"] for body in emitted.of("line")]


@pytest.fixture
def logs(fake: FakeEngine) -> Logs:
    return Logs(fake)


@pytest.fixture
def step(fake: FakeEngine) -> PollHarness:
    return PollHarness("container_logs", {**fake.config, "startFrom": "everything"})


def asked(logs: Logs, name: str) -> int:
    return logs.fake.asked.count(f"/containers/{identity(name)}/logs")


def test_fault_9_23_an_ended_container_that_could_not_be_read_is_asked_again(
    logs: Logs, step: PollHarness
) -> None:
    """It was read to its end before, ran again, and then its log failed once: nothing is taken for read."""
    now = logs.fake.ring.now
    logs.put("job", "exited", "Exited (0) 5 minutes ago", line(now - 400, "one"))
    assert texts(step.poll()) == ["one"]
    assert (step.poll().bodies, asked(logs, "job")) == ([], 1)
    logs.fake.ring.now += 60
    logs.put("job", "exited", "Exited (0) 30 seconds ago", (500, {"message": "the disk is busy"}))
    assert [body["reason"] for body in step.poll().bodies] == ["unreadable"]
    logs.fake.ring.now += 600
    logs.put("job", "exited", "Exited (0) 10 minutes ago", line(now - 400, "one") + line(now + 20, "two"))
    assert texts(step.poll()) == ["two"]


def test_fault_9_12_what_a_log_has_before_its_failure_is_told(logs: Logs, step: PollHarness) -> None:
    failure = b"the file is corrupted"
    broken = b"\3\0\0\0" + len(failure).to_bytes(4) + failure
    now = logs.fake.ring.now
    logs.put("bad", "running", "Up 5 minutes", line(now - 400, "one") + line(now - 399, "two") + broken)
    logs.put("good", "running", "Up 5 minutes", line(now - 400, "fine"))
    assert texts(step.poll()) == ["one", "two", "fine"]
    again = step.poll()
    assert [(body["kind"], body.get("reason")) for body in again.bodies] == [("warning", "objectFailed")]
    assert step.poll().bodies == []


@pytest.mark.parametrize(("count", "most"), [(130, LIMIT - 400), (2000, 55_000)])
def test_fault_9_22_places_are_small(count: int, most: int) -> None:
    """What docs/triggers.md says of sizes, with ids, marks and times as random as they can be."""
    chance = random.Random(count)
    known = {
        f"{chance.getrandbits(48):012x}": Place(
            mark(str(number), NAME),
            Position(1_767_268_800_000_000_000 + chance.randrange(10**13), 1, mark(f"frame {number}", HASH)),
        )
        for number in range(count)
    }
    places = Places(1_767_268_900, known, EventsPlace("l" + "A" * 10, 1_767_268_900))
    assert Places.from_state(places.to_state()) == places
    assert size(places.to_state()) < most


def test_a_time_at_the_end_of_all_times_has_a_place(logs: Logs, step: PollHarness) -> None:
    payload = b"9999-12-31T23:59:59.999999999Z late\n"
    logs.put("odd", "exited", "Exited (0) 5 minutes ago", b"\1\0\0\0" + len(payload).to_bytes(4) + payload)
    assert texts(step.poll()) == ["late"]
    assert step.poll().bodies == []


def test_places_of_the_first_form_are_read() -> None:
    """7 digits of the id, 3 of a name's mark, 11 of the time, 4 of the count, 6 of the last frame's mark."""
    packed = "AAAAAAB" + "xyz" + "AAAAAAAAAAC" + "AAAD" + "abcdef"
    places = Places.from_state({"at": 5, "logs": packed * 2, "flags": "fm"})
    assert places.at == 5
    assert places.known["0000000001"] == Place("xyz", Position(2, 3, "abcdef"), MUTE)
    assert Places.from_state({"at": 5, "logs": packed, "flags": "f"}).known["0000000001"].flag == FINISHED


@pytest.mark.parametrize("broken", [{"at": 1, "places": "~"}, {"at": 1, "logs": "A", "flags": ""}, {"at": 1}])
def test_what_is_no_state_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Places.from_state(broken)


STEPS = st.lists(
    st.tuples(
        st.lists(
            st.tuples(
                st.sampled_from([0, 0, 1, 1, 1, 50, SECOND, -1, -40, -SECOND, -5000 * SECOND, 9000 * SECOND]),
                st.sampled_from(["stdout", "stderr"]),
                st.integers(1, 3),
            ),
            max_size=8,
        ),
        st.sampled_from([None, None, 0, 1, 3]),
        st.integers(0, 4),
    ),
    max_size=8,
)


# More messages than a first look at an older engine's log shows, with equal times and equal last pieces.
PIECES_ALIKE = [
    ([(0, "stdout", 1), (-1, "stdout", 2), (0, "stdout", 3)], None, 0),
    ([(1, "stdout", 1), (0, "stdout", 1), (0, "stdout", 1), *[(0, "stdout", 3)] * 4], None, 0),
]


@pytest.mark.parametrize("api", ["1.41", "1.51"])
@pytest.mark.parametrize("terminal", [False, True])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, alike=st.booleans())
@example(steps=PIECES_ALIKE, alike=False)
def test_fault_9_6_every_line_is_told_once_in_order_whatever_the_times(
    logs: Logs, api: str, terminal: bool, steps: Any, alike: bool
) -> None:
    """Lines of both streams, in pieces, of equal and of earlier times; polls that see half of it; kills."""
    logs.fake.api, logs.fake.terminal = api, terminal
    logs.fake.ring.now = now = 1_700_000_000
    log, written = Log(terminal=terminal), []
    time = latest = now * SECOND
    logs.listed["web"] = ("running", "Up 5 minutes")
    logs.fake.routes[f"/containers/{identity('web')}/logs"] = lambda query: (
        200,
        log.served(query, filters_all=api == "1.41"),
    )
    step = PollHarness("container_logs", {**logs.fake.config, "startFrom": "everything", "maxBytes": "1000"})
    told: dict[str | None, str] = {}
    for lines, dies_after, seen in [*steps, ([], None, 20_000), ([], None, 20_000)]:
        for moved, stream, pieces in lines:
            time = max(time + moved, (now - 50_000) * SECOND)
            latest = max(time, latest)
            text = "same" if alike and pieces == 1 else f"line {len(written)}"
            size = (FRAGMENT if terminal else 400) if pieces > 1 else 0
            whole = (text + "x" * size * (pieces - 1)).encode() + b"\r\n" * terminal + b"\n" * (not terminal)
            cut = FRAGMENT if terminal else 400
            parts = [whole[start : start + cut] for start in range(0, len(whole), cut)]
            log.messages += [("stdout" if terminal else stream, time, part) for part in parts]
            written.append(whole.decode().strip())
        logs.fake.ring.now = max(logs.fake.ring.now, latest // SECOND + seen)
        for _ in range(40 if seen > 10_000 else 1):
            emitted = step.poll(dies_after=dies_after)
            assert not emitted.of("gap")
            for message in emitted.messages:
                assert told.setdefault(message.id, message.body["text"]) == message.body["text"]
            if not emitted.bodies:
                break
    assert list(told.values()) == written


def test_fault_9_23_two_thousand_containers_and_their_cost(logs: Logs, tmp_path: Path) -> None:
    """Places that no snapshot holds lie in the storage; ended logs that were read cost nothing."""
    now = logs.fake.ring.now
    for number in range(2000):
        logs.put(f"c{number}", "exited", "Exited (0) 5 minutes ago", line(int(now) - 400, f"line {number}"))
    step = PollHarness(
        "container_logs", {**logs.fake.config, "startFrom": "everything"}, states=FolderStates(tmp_path)
    )
    assert len(texts(step.poll())) == 2000
    assert size(step.snapshot) < LIMIT
    logs.fake.asked.clear()
    assert step.poll().bodies == []
    assert len(logs.fake.asked) <= 5
