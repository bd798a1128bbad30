"""Real time within one execution: the engine's event stream is drained at once, the ring stays the proof."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from lib.engine.errors import EngineError, Unreachable
from lib.polling.clock import EDGE_SECONDS, SECOND, engine_time
from lib.polling.events import EventFilter, body
from lib.polling.poll import Finding, Found, Poll
from lib.polling.ring import CAPACITY, Fingerprints, Known, Memory, is_replay, nanos

# The ring is compared again long before it can have turned over, so that a dropped event is noticed.
COMPARE_EVENTS = 100
COMPARE_SECONDS = 15.0
SNAPSHOT_SECONDS = 1.0
RETRY_SECONDS = 0.5


@dataclass
class Live:
    """Tells events as they come. Every start, every end of the stream and every now and then is a look at the ring."""

    poll: Poll[Memory]
    wanted: EventFilter
    look: Callable[[Poll[Memory]], Found[Memory]]

    def run(self, seconds: float) -> Iterator[Found[Memory]]:
        """Yield what happens for so many seconds; every look at the ring, the last one too, is stored."""
        end = time.monotonic() + seconds
        memory = self.poll.state
        while True:
            found = self._compared(memory, end)
            memory = found.state or Memory(self.poll.now)
            yield found
            if self.poll.cancelled.is_set() or time.monotonic() >= end:
                return
            began = time.monotonic()
            memory = yield from self._listen(memory, end)
            if (
                time.monotonic() - began < RETRY_SECONDS
            ):  # a proxy that ends streams at once is not to be stormed
                self.poll.cancelled.wait(RETRY_SECONDS)

    def _compared(self, memory: Memory | None, end: float) -> Found[Memory]:
        """Look at the ring; an engine that is just restarting is asked again until the time is over."""
        while True:
            try:
                return self.look(replace(self.poll, now=engine_time(self.poll.engine), state=memory))
            except Unreachable:
                if time.monotonic() >= end or self.poll.cancelled.wait(RETRY_SECONDS):
                    raise

    def _listen(self, memory: Memory, end: float) -> Generator[Found[Memory], None, Memory]:
        """Yield what the stream brings, until it ends or it is time to compare; return what is known then."""
        stream = _Stream(self.poll, memory.at, min(end, time.monotonic() + COMPARE_SECONDS))
        told = {*memory.shown, *memory.ahead}
        heard, stored = 0, time.monotonic()
        while not stream.ended and heard < COMPARE_EVENTS and not self.poll.cancelled.is_set():
            fresh = []
            for name, event in stream.take():
                if name not in told and not is_replay(name, event, memory):
                    told.add(name)
                    fresh.append((name, event))
            heard += len(fresh)
            memory = heard_live(memory, fresh)
            due = bool(fresh) and time.monotonic() - stored >= SNAPSHOT_SECONDS
            stored = time.monotonic() if due else stored
            findings = [
                Finding(body(event), f"event {name}") for name, event in fresh if self.wanted.takes(event)
            ]
            yield Found(findings, memory if due else None)
        stream.stop()
        return memory


def heard_live(memory: Memory, fresh: list[Known]) -> Memory:
    """Return the memory with events that were told although the last look at the ring did not show them."""
    if not fresh:
        return memory
    ahead = (*memory.ahead, *(name for name, _ in fresh))[-CAPACITY:]
    newest = max(nanos(event) for _, event in fresh) // SECOND
    # Of more than the ring holds, the oldest have been thrown out.
    shown = memory.shown[max(len(memory.shown) + len(ahead) - CAPACITY, 0) :]
    return replace(memory, shown=shown, ahead=ahead, until=max(memory.until, newest + EDGE_SECONDS + 1))


class _Stream:
    """A thread that reads the engine's stream into memory: a slow reader would slow down every client of the engine."""

    def __init__(self, poll: Poll[Memory], since: int, until: float) -> None:
        self.ended = False
        self._poll, self._until = poll, until
        self._since = str(since - EDGE_SECONDS)
        self._arrived: SimpleQueue[Known | None] = SimpleQueue()
        self._stopped = threading.Event()
        threading.Thread(target=self._read, name="engine events", daemon=True).start()

    def take(self) -> Iterator[Known]:
        """Wait for an event, then yield it and all that came with it."""
        try:
            known = self._arrived.get(timeout=1)
            while known is not None:
                yield known
                known = self._arrived.get_nowait()
            self.ended = True
        except Empty:
            return

    def stop(self) -> None:
        """Let the thread end with the next event or at the end of its time."""
        self._stopped.set()

    def _read(self) -> None:
        window = {"since": self._since}
        try:
            with self._poll.engine.lines("/events", window, query=("since",)) as events:
                events.pace(None, max(self._until - time.monotonic(), 0))
                for event in events:
                    self._arrived.put((Fingerprints().of(event), event))
                    if self._stopped.is_set():
                        return
        except EngineError as error:  # the time is over, or the engine went: the ring tells what was missed
            self._poll.log.debug("The stream of events ended", reason=str(error))
        finally:
            self._arrived.put(None)
