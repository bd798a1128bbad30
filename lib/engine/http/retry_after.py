"""The header Retry-After: how many seconds a server wants the client to wait (RFC 9110, 10.2.3)."""

from __future__ import annotations

import re
import time
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST = 30 * 24 * 3600
"""Seconds (30 days); a longer pause is cut to it."""
_LONGEST_TEXT = 64
_SECONDS = re.compile(r"[0-9]{1,12}")


def retry_after(text: str | None) -> float | None:
    """Return the seconds to wait from now; 0 for a time that has passed, None for no header or an unreadable one."""
    value = (text or "").strip()
    if not value or len(value) > _LONGEST_TEXT:
        return None
    if _SECONDS.fullmatch(value):
        return float(min(int(value), LONGEST))
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:  # the oldest form names no zone; dates of HTTP are in UTC
            moment = moment.replace(tzinfo=UTC)
        seconds = moment.timestamp() - time.time()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), float(LONGEST))
