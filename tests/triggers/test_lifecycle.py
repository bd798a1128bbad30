from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.polling.lifecycle import HEALTHS, STATUSES, WIDTH, Condition, Loop, changes, counted

LOOP = Loop(3, 10)
UP = Condition("running", "none", 0, 0, "s01", "f00")


def after(before: Condition | None, *, crash: bool = False, **moved: Any) -> tuple[str, ...]:
    now = replace(before or UP, **moved)
    return changes(before, counted(before, now, 1, LOOP), crash=crash, loop=LOOP)


def test_nothing_moved_is_nothing_told() -> None:
    assert after(UP) == ()


@pytest.mark.parametrize(("crash", "told"), [(True, "crashed"), (False, "exited")])
def test_an_end_is_told_by_its_exit_code(crash: bool, told: str) -> None:
    assert after(UP, status="exited", finished="f01", exit_code=int(crash), crash=crash) == (told,)


def test_a_crash_between_two_polls_is_seen_although_it_runs_at_both() -> None:
    assert after(UP, started="s02", finished="f01", restarts=1) == ("crashed", "started")


def test_a_restart_by_hand_is_no_crash() -> None:
    assert after(UP, started="s02", finished="f01") == ("restarted",)


def test_ended_again_is_told_again_although_the_status_is_the_same() -> None:
    ended = replace(UP, status="exited", finished="f01", exit_code=1)
    assert after(ended, started="s02", finished="f02", crash=True) == ("crashed",)


def test_a_start_is_told() -> None:
    assert after(replace(UP, status="created", started="s00"), status="running", started="s01") == (
        "started",
    )


def test_restarts_within_the_window_are_a_loop_told_once() -> None:
    told: list[tuple[str, ...]] = []
    before = UP
    for number in range(1, 8):
        raw = replace(UP, started=f"s{number:02}", finished=f"f{number:02}", restarts=number)
        now = counted(before, raw, 1, LOOP)
        told.append(changes(before, now, crash=False, loop=LOOP))
        before = Condition.unpack(now.pack())
    assert [("restartLoop" in one) for one in told] == [False, False, True, False, False, False, False]


def test_a_loop_that_goes_on_is_told_once_a_window() -> None:
    before, told = UP, 0
    for number in range(1, 31):
        raw = replace(UP, started=f"s{number:02}", finished=f"f{number:02}", restarts=number)
        now = counted(before, raw, 1, LOOP)
        told += "restartLoop" in changes(before, now, crash=False, loop=LOOP)
        before = now
    assert told == 3


def test_slow_restarts_are_no_loop() -> None:
    before = UP
    for number in range(1, 10):
        raw = replace(UP, started=f"s{number:02}", finished=f"f{number:02}", restarts=number)
        now = counted(before, raw, 8, LOOP)
        assert "restartLoop" not in changes(before, now, crash=False, loop=LOOP)
        before = now


def test_health_is_told_when_it_changes() -> None:
    assert after(UP, health="starting") == ()
    assert after(replace(UP, health="starting"), health="healthy") == ("healthy",)
    assert after(replace(UP, health="healthy"), health="unhealthy") == ("unhealthy",)


def test_pauses_are_told() -> None:
    assert after(UP, status="paused") == ("paused",)
    assert after(replace(UP, status="paused"), status="running") == ("unpaused",)


@pytest.mark.parametrize(
    ("now", "crash", "told"),
    [
        (UP, False, ("started",)),
        (replace(UP, status="created"), False, ("created",)),
        (replace(UP, status="exited", exit_code=1), True, ("crashed",)),
        (replace(UP, status="exited"), False, ("exited",)),
        (replace(UP, health="unhealthy"), False, ("started", "unhealthy")),
    ],
)
def test_a_new_container_tells_what_it_is(now: Condition, crash: bool, told: tuple[str, ...]) -> None:
    assert changes(None, now, crash=crash, loop=LOOP) == told


@given(
    st.builds(
        Condition,
        st.sampled_from(STATUSES),
        st.sampled_from(HEALTHS),
        st.integers(0, 255),
        st.integers(0, 4095),
        st.just("abc"),
        st.just("-_9"),
        st.integers(0, 63),
        st.integers(0, 63),
        st.booleans(),
    )
)
def test_a_condition_survives_its_packed_form(condition: Condition) -> None:
    assert len(condition.pack()) == WIDTH
    assert Condition.unpack(condition.pack()) == condition
