from __future__ import annotations

from typing import Any

import pytest

from lib.credentials import open_engine
from lib.trigger.clock import nanoseconds
from lib.trigger.events.resync import lost_events
from tests.triggers.fake_engine import FakeEngine

SINCE, BEFORE = nanoseconds("2026-01-01T00:00:00Z"), nanoseconds("2026-01-02T00:00:00Z")
ID = "ab" * 32


def events(fake: FakeEngine, **state: Any) -> list[tuple[str, str | None]]:
    container = {
        "Id": ID,
        "Name": "/job",
        "Created": "2026-01-01T01:00:00Z",
        "Config": {"Image": "job"},
        "State": state,
    }
    fake.routes["/containers/json"] = lambda _: (200, [{"Id": ID}])
    fake.routes[f"/containers/{ID}/json"] = lambda _: (200, container)
    found, missed = lost_events(open_engine(fake.config), SINCE, BEFORE)
    assert missed == 0
    return [(event["Action"], event["Actor"]["Attributes"].get("exitCode")) for event in found]


def test_an_ended_container_tells_its_whole_life(fake: FakeEngine) -> None:
    times = {"StartedAt": "2026-01-01T01:00:01Z", "FinishedAt": "2026-01-01T01:00:02Z"}
    assert events(fake, **times, ExitCode=3) == [("create", None), ("start", None), ("die", "3")]


def test_one_that_ended_before_it_started_by_the_engines_two_clocks_does_too(fake: FakeEngine) -> None:
    times = {"StartedAt": "2026-01-01T01:00:01.5Z", "FinishedAt": "2026-01-01T01:00:01.4Z"}
    assert events(fake, **times, ExitCode=3) == [("create", None), ("start", None), ("die", "3")]


def test_one_that_runs_again_tells_its_end_without_an_exit_code(fake: FakeEngine) -> None:
    times = {"StartedAt": "2026-01-01T01:00:09Z", "FinishedAt": "2026-01-01T01:00:02Z"}
    assert events(fake, **times, Running=True) == [("create", None), ("die", None), ("start", None)]


@pytest.mark.parametrize("never", ["", "0001-01-01T00:00:00Z"])
def test_what_never_happened_is_not_told(fake: FakeEngine, never: str) -> None:
    assert events(fake, StartedAt=never, FinishedAt=never) == [("create", None)]


def test_only_what_falls_into_the_gap_is_told(fake: FakeEngine) -> None:
    times = {"StartedAt": "2026-01-01T01:00:01Z", "FinishedAt": "2026-01-03T00:00:00Z"}
    assert events(fake, **times) == [("create", None), ("start", None)]


@pytest.mark.parametrize("answer", [(500, {"message": "broken"}), (200, []), (200, {"State": None})])
def test_fault_9_14_one_container_that_cannot_be_asked_spoils_nothing(fake: FakeEngine, answer: Any) -> None:
    events(fake, StartedAt="2026-01-01T01:00:01Z")
    others = ["cd" * 32, ID, "ef" * 32]
    fake.routes["/containers/json"] = lambda _: (200, [{"Id": one} for one in others])
    fake.routes[f"/containers/{others[0]}/json"] = lambda _: answer
    fake.routes[f"/containers/{others[2]}/json"] = lambda _: (404, {"message": "gone"})
    found, missed = lost_events(open_engine(fake.config), SINCE, BEFORE)
    assert ([event["Action"] for event in found], missed) == (["create", "start"], 1)
