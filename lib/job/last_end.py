"""When the run of a container before the present one ended, by the engine's events.

The event `die` comes after the engine has read the last line of that run, and before the container is started again: so
it parts the lines of two runs. Times of the inspect do not: the end in it is that of the process, and under load the
engine reads its last lines, and gives them their times, a while later; the start in it comes after the first lines.
"""

from __future__ import annotations

from lib.engine import Engine
from lib.engine.answer.limits import Limits, bounded, record_bytes
from lib.engine.errors import EngineError
from lib.engine.request.query import filters, seconds

_RING = Limits(max_bytes=4 * 1024 * 1024, max_items=1_000, idle_seconds=10, max_seconds=30)
_FIRST = 1
"""A time (nanoseconds) before all that an engine remembers."""


def end_before(engine: Engine, identity: str, started: int) -> int | None:
    """Return when the run before `started` ended (Unix nanoseconds).

    None where the engine does not remember it (it keeps 256 events), where what it says is too long to be read to its
    end, or where a proxy refuses the call.
    """
    window = {"since": _FIRST, "until": started, "filters": {"container": [identity], "event": ["die"]}}
    query = (seconds("since"), seconds("until"), filters())
    try:
        with bounded(engine.lines("/events", window, query=query), _RING, record_bytes) as events:
            ends = [time for event in events if isinstance(time := event.get("timeNano"), int)]
    except EngineError:
        return None
    if events.truncated:
        return None
    return max((time for time in ends if time <= started), default=None)
