"""The trigger containerLogs where an engine answers as real ones seldom do."""

from __future__ import annotations

from typing import Any

import pytest

from lib.polling.clock import iso
from lib.polling.logplaces import FINISHED, MUTE, Place, Places
from lib.polling.logtail import Position
from lib.polling.recent_events import Place as EventsPlace
from tests.triggers.desk import Desk, Emitted, size
from tests.triggers.fake_engine import FakeEngine

SECOND = 1_000_000_000


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
def step(fake: FakeEngine) -> Desk:
    return Desk("container_logs", {**fake.config, "startFrom": "everything"})


def asked(logs: Logs, name: str) -> int:
    return logs.fake.asked.count(f"/containers/{identity(name)}/logs")


def test_fault_9_23_an_ended_container_that_could_not_be_read_is_asked_again(logs: Logs, step: Desk) -> None:
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


def test_fault_9_12_what_a_log_has_before_its_failure_is_told(logs: Logs, step: Desk) -> None:
    failure = b"the file is corrupted"
    broken = b"\3\0\0\0" + len(failure).to_bytes(4) + failure
    now = logs.fake.ring.now
    logs.put("bad", "running", "Up 5 minutes", line(now - 400, "one") + line(now - 399, "two") + broken)
    logs.put("good", "running", "Up 5 minutes", line(now - 400, "fine"))
    assert texts(step.poll()) == ["one", "two", "fine"]
    again = step.poll()
    assert [(body["kind"], body.get("reason")) for body in again.bodies] == [("warning", "objectFailed")]
    assert step.poll().bodies == []


def test_fault_9_22_two_thousand_places_are_small(logs: Logs) -> None:
    known = {
        f"{number:012x}": Place(
            "abcde", Position(1_767_268_800_000_000_000 + number * 977, 1, f"{number:06d}")
        )
        for number in range(2000)
    }
    places = Places(1_767_268_900, known, EventsPlace("l" + "A" * 10, 1_767_268_900))
    assert Places.from_state(places.to_state()) == places
    assert size(places.to_state()) < 60_000


def test_a_time_at_the_end_of_all_times_has_a_place(logs: Logs, step: Desk) -> None:
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
