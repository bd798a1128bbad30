"""A progress stream read to its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lib.engine.answer.progress import Progress, ProgressResult


def collect(records: Iterable[dict[str, Any]], **limits: Any) -> ProgressResult:
    """What all records together come to; raises what one of them reports, and what `records` raises."""
    progress = Progress(**limits)
    for record in records:
        progress.feed(record)
    return progress.result()
