from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.trigger.containers.lifecycle import HEALTHS, STATUSES, WIDTHS, Condition, Loop, changes, counted
from lib.trigger.marks.columns import packed, unpacked

LOOP = Loop(3, 10)
UP = Condition("running", "none", 0, 0, 101, 0)


def after(before: Condition | None, *, crash: bool = False, **moved: Any) -> tuple[str, ...]:
    return changes(before, replace(before or UP, **moved), crash=crash)


def test_nothing_moved_is_nothing_told() -> None:
    assert after(UP) == ()


@pytest.mark.parametrize(("crash", "told"), [(True, "crashed"), (False, "exited")])
def test_an_end_is_told_by_its_exit_code(crash: bool, told: str) -> None:
    assert after(UP, status="exited", finished=201, exit_code=int(crash), crash=crash) == (told,)


def test_a_crash_between_two_polls_is_seen_although_it_runs_at_both() -> None:
    assert after(UP, started=102, finished=201, restarts=1) == ("crashed", "started")


def test_a_restart_by_hand_is_no_crash() -> None:
    assert after(UP, started=102, finished=201) == ("restarted",)


def test_ended_again_is_told_again_although_the_status_is_the_same() -> None:
    ended = replace(UP, status="exited", finished=201, exit_code=1)
    assert after(ended, started=102, finished=202, crash=True) == ("crashed",)


def test_a_start_is_told() -> None:
    assert after(replace(UP, status="created", started=100), status="running", started=101) == ("started",)


def test_restarts_within_the_window_are_a_loop_told_once() -> None:
    told: list[bool] = []
    before = UP
    for number in range(1, 8):
        raw = replace(UP, started=100 + number, finished=200 + number, restarts=number)
        now, loops = counted(before, raw, 1, LOOP)
        told.append(loops)
        before = Condition.of_row(now.row())
    assert told == [False, False, True, False, False, False, False]


def test_a_loop_that_goes_on_is_told_once_a_window() -> None:
    before, told = UP, 0
    for number in range(1, 31):
        raw = replace(UP, started=100 + number, finished=200 + number, restarts=number)
        before, loops = counted(before, raw, 1, LOOP)
        told += loops
    assert told == 3


def test_slow_restarts_are_no_loop() -> None:
    before = UP
    for number in range(1, 10):
        raw = replace(UP, started=100 + number, finished=200 + number, restarts=number)
        before, loops = counted(before, raw, 8, LOOP)
        assert not loops


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
    assert changes(None, now, crash=crash) == told


def test_fault_9_7_a_new_container_that_its_policy_started_again_has_crashed_and_may_be_in_a_loop() -> None:
    now = replace(UP, started=104, finished=203, restarts=3)
    assert changes(None, now, crash=False) == ("crashed", "started")
    assert counted(None, now, 0, LOOP)[1]
    assert not counted(None, replace(now, restarts=2), 0, LOOP)[1]


@pytest.mark.parametrize("restarts", [1, 4, 5])
def test_fault_9_8_crashes_after_a_start_by_hand_set_the_count_back(restarts: int) -> None:
    before = replace(UP, restarts=5, finished=200)
    now = replace(UP, restarts=restarts, started=110, finished=210)
    assert changes(before, now, crash=False) == ("crashed", "started")
    assert counted(before, now, 1, LOOP)[1] == (restarts >= LOOP.restarts)


def test_an_end_without_another_start_is_no_restart_of_the_policy() -> None:
    before = replace(UP, restarts=3, finished=200)
    assert changes(before, replace(before, status="exited", finished=210), crash=False) == ("exited",)


def test_fault_9_20_a_container_that_was_restarted_and_paused_again_is_paused_again() -> None:
    paused = replace(UP, status="paused")
    assert after(paused, started=102, finished=201) == ("restarted", "paused")


def test_fault_9_20_health_of_another_run_is_told() -> None:
    assert after(replace(UP, health="healthy"), started=102, finished=201) == ("restarted", "healthy")


def test_a_stop_while_the_engine_waits_to_restart_is_no_other_crash() -> None:
    waiting = replace(UP, status="restarting", finished=201, exit_code=1, restarts=1)
    assert after(waiting, status="exited", crash=True) == ("exited",)


@given(
    st.lists(
        st.builds(
            Condition,
            st.sampled_from(STATUSES),
            st.sampled_from(HEALTHS),
            st.integers(0, (1 << 32) - 1),
            st.integers(0, (1 << 24) - 1),
            st.integers(0, (1 << 63) - 1),
            st.integers(0, (1 << 63) - 1),
            st.integers(0, 255),
            st.integers(0, 255),
            st.booleans(),
            st.booleans(),
        )
    )
)
def test_conditions_survive_their_packed_form(conditions: list[Condition]) -> None:
    text = packed((one.row() for one in conditions), WIDTHS)
    assert [Condition.of_row(row) for row in unpacked(text, WIDTHS)] == conditions
