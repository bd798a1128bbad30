"""What a registry's refusal means, in the words of engines that pass it on as a fault of their own (triggers, T4)."""

from __future__ import annotations

import re
from typing import Literal

from lib.engine.errors import Refused

Outcome = Literal["ok", "rateLimited", "unauthorized", "notFound", "unreachable"]

# Engines up to 20.10 answer 500 for most of what a registry says; then only the text tells.
_BY_TEXT: tuple[tuple[Outcome, re.Pattern[str]], ...] = (
    ("rateLimited", re.compile(r"toomanyrequests|too many requests|\b429\b|rate limit", re.IGNORECASE)),
    (
        "unauthorized",
        re.compile(r"unauthorized|denied|authentication required|no basic auth|\b40[13]\b", re.IGNORECASE),
    ),
    ("notFound", re.compile(r"not found|manifest unknown|name unknown|\b404\b", re.IGNORECASE)),
)
_BY_STATUS: dict[int, Outcome] = {
    429: "rateLimited",
    401: "unauthorized",
    403: "unauthorized",
    404: "notFound",
}
FIRST_PAUSE = 15 * 60
LONGEST_PAUSE = 6 * 3600


def outcome(refusal: Refused) -> Outcome:
    """Return what a refused DistributionInspect means; unreachable is all that is neither of the others."""
    by_text = next((meaning for meaning, pattern in _BY_TEXT if pattern.search(refusal.message)), None)
    return by_text or _BY_STATUS.get(refusal.status or 0, "unreachable")


def pause(failures: int) -> int:
    """Return for how many seconds a registry is left alone after so many refusals for asking too often in a row."""
    return min(FIRST_PAUSE << min(max(failures - 1, 0), 10), LONGEST_PAUSE)
