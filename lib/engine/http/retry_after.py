"""The header Retry-After: after how many seconds a server wants to be asked again (RFC 9110, 10.2.3)."""

from __future__ import annotations

import re
import time
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST = 30 * 24 * 3600
"""Seconds; a longer time says no more than this one."""
_LONGEST_TEXT = 64
_SECONDS = re.compile(r"[0-9]{1,12}")


def retry_after(text: str | None) -> float | None:
    """Return seconds from now, 0 for a time that has passed, None where it says nothing that can be read."""
    value = (text or "").strip()
    if not value or len(value) > _LONGEST_TEXT:
        return None
    if _SECONDS.fullmatch(value):
        return float(min(int(value), LONGEST))
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:  # the oldest form names no zone: all of them are in UTC
            moment = moment.replace(tzinfo=UTC)
        seconds = moment.timestamp() - time.time()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), float(LONGEST))
