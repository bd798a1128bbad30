"""Reads the engine's event stream on its own thread, into a queue of at most 16 MB.

The engine drops events for a slow reader, so reading must not wait until earlier events are emitted.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from lib import jsontext
from lib.engine import Engine
from lib.engine.errors import EngineError, LimitReached
from lib.trigger.clock import EDGE_SECONDS
from lib.trigger.events.fingerprints import Fingerprints, Known
from lib.trigger.faults import MISSHAPEN
from lib.trigger.poll import Log

MOST_BYTES = 16 << 20
"""Bytes of JSON that may wait in the queue, about 40,000 events; above it reading ends, and the ring has to do."""
WAIT_SECONDS = 1.0


class EventStream:
    """Events from EDGE_SECONDS before the engine's second `since` to the monotonic time `until` or the stream's end.

    `most` is how many bytes of JSON may wait. Errors only end the stream and are logged: the ring shows the rest.
    """

    def __init__(self, engine: Engine, log: Log, since: int, until: float, most: int = MOST_BYTES) -> None:
        self._engine, self._log, self._until, self._most = engine, log, until, most
        self._since = str(since - EDGE_SECONDS)
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Known, int]] = deque()
        self._bytes = 0
        self._ended = False
        self._stopped = False
        threading.Thread(target=self._run, name="engine events", daemon=True).start()

    def take(self, most: int) -> list[Known] | None:
        """Return up to `most` waiting events; wait up to WAIT_SECONDS for the first. None after the stream's end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended, WAIT_SECONDS)
            if not self._waiting and self._ended:
                return None
            taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            self._bytes -= sum(size for _, size in taken)
        return [known for known, _ in taken]

    @property
    def drained(self) -> bool:
        """Whether the queue is empty."""
        return not self._waiting

    def stop(self) -> None:
        """Ask the thread to end; it ends at the next event or when its time is over."""
        self._stopped = True

    def _run(self) -> None:
        try:
            self._read()
        except LimitReached:
            self._log.debug("The time of the stream of events is over")
        except (EngineError, *MISSHAPEN) as error:  # the connection was lost, or the answer is no event
            self._log.debug("The stream of events ended", reason=str(error))
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _read(self) -> None:
        with self._engine.lines("/events", {"since": self._since}, query=("since",)) as events:
            events.pace(None, max(self._until - time.monotonic(), 0))
            for event in events:
                size = len(jsontext.encode(event))
                with self._changed:
                    self._waiting.append(((Fingerprints().of(event), event), size))
                    self._bytes += size
                    self._changed.notify_all()
                    if self._stopped:
                        return
                    if self._bytes > self._most:
                        self._log.warning("More events wait to be told than there is room for")
                        return
