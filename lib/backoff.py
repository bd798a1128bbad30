"""Growing pauses between tries: one formula for engine and platform calls, broker connections, publishes, rebounds."""

from __future__ import annotations

import random

_MOST_DOUBLINGS = 60
"""Cap of the exponent: 2^60 ms are 36 million years, and beyond 2^1023 a float overflows."""


def growing_pause(attempt: int, first: float, longest: float) -> float:
    """Return the pause after try number `attempt` (from 1): `first` x 2^(attempt - 1), at least 0, at most `longest`.

    The unit is that of `first` and `longest`.
    """
    grown = first * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS)
    return max(min(grown, longest), 0.0)


def spread(pause: float, least: float = 1.0, most: float = 1.2) -> float:
    """Return `pause` times a random factor from `least` to `most`, so that many steps do not retry at once."""
    return pause * random.uniform(least, most)  # noqa: S311 - no secret
