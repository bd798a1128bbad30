from __future__ import annotations

from typing import Any

import pytest

from lib.trigger.cursor import FORMAT, LIMIT, STORED, Cursor, CursorTooLarge, dump, load


def read(state: Any) -> int:
    return int(state["place"])


def test_a_dumped_state_is_loaded_again() -> None:
    snapshot = dump({"place": 7}, "engineEvents", "engine")
    assert snapshot == {"v": FORMAT, "trigger": "engineEvents", "engine": "engine", "place": 7}
    assert load(snapshot, "engineEvents", "engine", read) == Cursor(7, "engine")


@pytest.mark.parametrize("snapshot", [None, {}])
def test_no_snapshot_is_a_first_run(snapshot: Any) -> None:
    assert load(snapshot, "engineEvents", "engine", read) == Cursor(None, "engine")


@pytest.mark.parametrize(
    ("snapshot", "problem"),
    [
        ("text", "corrupt"),
        ([1], "corrupt"),
        (5, "corrupt"),
        ({"place": 7}, "corrupt"),
        ({"v": "1", "trigger": "engineEvents"}, "corrupt"),
        ({"v": True, "trigger": "engineEvents"}, "corrupt"),
        ({"v": 0, "trigger": "engineEvents"}, "corrupt"),
        ({"v": 1, "trigger": 5}, "corrupt"),
        ({"v": 1, "trigger": "engineEvents", "engine": 5}, "corrupt"),
        ({"v": 1, "trigger": "engineEvents", "engine": "engine"}, "corrupt"),
        ({"v": 1, "trigger": "engineEvents", "engine": "engine", "place": "x"}, "corrupt"),
        ({"v": 1, "trigger": "engineEvents", "engine": "engine", "place": None}, "corrupt"),
        ({"v": STORED + 1, "trigger": "engineEvents", "place": 7}, "future"),
        ({"v": 1 << 70, "trigger": "engineEvents", "place": 7}, "future"),
        ({"v": 1, "trigger": "containerLogs", "place": 7}, "otherTrigger"),
        ({"v": 1, "trigger": "engineEvents", "engine": "elsewhere", "place": 7}, "otherEngine"),
    ],
)
def test_an_unusable_snapshot_is_a_first_run_with_a_problem(snapshot: Any, problem: str) -> None:
    assert load(snapshot, "engineEvents", "engine", read) == Cursor(None, "engine", problem)


def test_a_hidden_identity_is_taken_from_the_snapshot() -> None:
    snapshot = dump({"place": 7}, "engineEvents", "engine")
    assert load(snapshot, "engineEvents", "", read) == Cursor(7, "engine")


def test_an_identity_that_becomes_readable_is_not_another_engine() -> None:
    snapshot = dump({"place": 7}, "engineEvents", "")
    assert load(snapshot, "engineEvents", "engine", read) == Cursor(7, "engine")


def test_a_state_at_the_limit_fits_and_one_beyond_it_is_refused() -> None:
    empty = len('{"v":1,"trigger":"t","engine":"e","place":""}')
    assert dump({"place": "x" * (LIMIT - 1 - empty)}, "t", "e")
    with pytest.raises(CursorTooLarge, match=r"t needs 4096 bytes.*Narrow the filter"):
        dump({"place": "x" * (LIMIT - empty)}, "t", "e")
