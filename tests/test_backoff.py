"""Growing pauses: one formula."""

from __future__ import annotations

import pytest

from lib.backoff import growing_pause, spread


@pytest.mark.parametrize(
    ("attempt", "pause"), [(1, 100), (2, 200), (3, 400), (7, 6_400), (8, 10_000), (10**9, 10_000)]
)
def test_a_pause_doubles_up_to_the_longest(attempt: int, pause: float) -> None:
    assert growing_pause(attempt, 100, 10_000) == pause


@pytest.mark.parametrize("first", [0, -5])
def test_no_pause_is_negative(first: float) -> None:
    assert growing_pause(4, first, 10_000) == 0


def test_a_spread_stays_within_its_bounds() -> None:
    found = {spread(10, 0.75, 1.25) for _ in range(200)}

    assert len(found) > 1
    assert min(found) >= 7.5
    assert max(found) <= 12.5
