"""Parts of snapshots as version 1.0 wrote them."""

from __future__ import annotations

from lib.trigger.containers.container import DIGITS
from lib.trigger.marks.compact import digits


def pack_id(short: str) -> str:
    """The first digits of a container's id as base64url digits."""
    return digits(int(short, 16), DIGITS)
