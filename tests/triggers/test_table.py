"""The table of the triggers counts what is lost, false, or has another id; a test cannot claim it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.triggers import table
from tests.triggers.table import record


@pytest.fixture(autouse=True)
def no_rows() -> Iterator[None]:
    """What these tests record is of no trigger."""
    yield
    table.taken()


def row(told: list[tuple[str, str]], truth: list[str], gap: str = "") -> table.Row:
    record("trigger", "engine", "situation", told=told, truth=truth, gap=gap)
    (values,) = table.taken()
    return table.Row(*values)


def test_what_is_told_once_and_again_with_its_id_is_a_repeat() -> None:
    found = row([("a", "1"), ("b", "2"), ("a", "1")], ["a", "b"])

    assert (found.truth, found.told, found.lost, found.false, found.repeated, found.other) == (
        2,
        3,
        "0",
        0,
        1,
        0,
    )


def test_what_happened_twice_has_two_ids() -> None:
    assert row([("a", "1"), ("a", "2")], ["a", "a"]).lost == "0"


@pytest.mark.parametrize(
    ("told", "truth", "word"),
    [
        ([], ["a"], "1 lost in silence"),
        ([("a", "1")], ["a", "a"], "1 lost in silence"),
        ([("b", "1")], [], "1 false"),
        ([("a", "1"), ("a", "2")], ["a"], "1 with another id"),
        ([("a", "1"), ("b", "1")], ["a", "b"], "1 with another id"),
    ],
)
def test_what_is_wrong_fails_the_test_that_records_it(
    told: list[tuple[str, str]], truth: list[str], word: str
) -> None:
    with pytest.raises(AssertionError, match=word):
        record("trigger", "engine", "situation", told=told, truth=truth)


def test_what_is_lost_with_a_gap_is_counted_and_named() -> None:
    assert row([("a", "1")], ["a", "b"], "overflow").lost == "1, told: overflow"
