"""Growing pauses between tries: one formula for the engine's calls, the platform's, the broker's and rebounds."""

from __future__ import annotations

import random

_MOST_DOUBLINGS = 60
"""2 to the power of 60 times a millisecond are 36 million years; more would be too large for a float one day."""


def growing_pause(attempt: int, first: float, longest: float) -> float:
    """Return the pause after the try number `attempt` (from 1): `first` x 2^(attempt - 1), from 0 to `longest`.

    The unit is that of `first` and `longest`.
    """
    grown = first * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS)
    return max(min(grown, longest), 0.0)


def spread(pause: float, least: float = 1.0, most: float = 1.2) -> float:
    """Return a pause by chance between `least` and `most` times as long, so that many steps do not come at once."""
    return pause * random.uniform(least, most)  # noqa: S311 - no secret
