"""Real-time mode of engineEvents: one poll listens to the engine's event stream for a while.

1. Read the ring and compare it with the memory (`_compared`). This is the same comparison as in a normal poll, and
   only it proves that no event is missing.
2. Open the stream (`_listen`). A thread reads it (lib/trigger/events/stream.py); this loop emits batches of BATCH
   events and adds their fingerprints to the memory (`heard_live`).
3. Compare with the ring again every COMPARE_SECONDS, when the stream ends, and at the end of the time.

The stream and the ring show the same events. `Live.told` holds the fingerprints of the last LATEST events, so each
event is emitted once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace

from lib.engine.errors import Unreachable
from lib.trigger.clock import EDGE_SECONDS, SECOND, engine_time
from lib.trigger.events.filter import EventFilter, body
from lib.trigger.events.fingerprints import Event, Known, nanos
from lib.trigger.events.ring import is_replay
from lib.trigger.events.ring_memory import CAPACITY, Memory
from lib.trigger.events.stream import MOST_BYTES, EventStream
from lib.trigger.poll import Finding, Found, Poll

COMPARE_SECONDS = 15.0
RETRY_SECONDS = 0.5
BATCH = 50
"""Events that are emitted between two checks for the step's end; after an interrupt at most so many are repeated."""
LATEST = 20_000
"""Upper bound of the kept fingerprints; a new stream repeats at most 256 events."""


@dataclass
class Live:
    """Emits events as they arrive.

    `look` compares the ring with a poll's memory. `most` is how many bytes of JSON may wait to be emitted.
    """

    poll: Poll[Memory]
    wanted: EventFilter
    look: Callable[[Poll[Memory]], Found[Memory]]
    told: dict[str, None] = field(default_factory=dict)
    """Fingerprints of the last LATEST events that were read, oldest first; the values are not used."""
    most: int = MOST_BYTES

    def run(self, seconds: float) -> Iterator[Found[Memory]]:
        """Yield findings for `seconds`; the memory of each comparison with the ring, also the last, is stored.

        Events that the stream delivered before the end are emitted, however long that takes. If the step has to end at
        once (`poll.cancelled`), the memory to store is that of the last emitted batch. Raises EngineError.
        """
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
            if self.poll.cancelled.is_set():
                return
            if time.monotonic() - began < RETRY_SECONDS:
                # A proxy may end each stream at once; do not send it requests without a pause.
                self.poll.cancelled.wait(RETRY_SECONDS)

    def _compared(self, memory: Memory | None, end: float) -> Found[Memory]:
        """Compare with the ring; if the engine is unreachable (it may restart), retry until `end` (monotonic)."""
        while True:
            try:
                found = self.look(replace(self.poll, now=engine_time(self.poll.engine), state=memory))
                memory = found.state or Memory(self.poll.now)
                for name in (*memory.shown, *memory.ahead, *map(_name, found.findings)):
                    self._remember(name)
                return replace(found, state=memory)
            except Unreachable:
                if time.monotonic() >= end or self.poll.cancelled.wait(RETRY_SECONDS):
                    raise

    def _listen(self, memory: Memory, end: float) -> Generator[Found[Memory], None, Memory]:
        """Yield what the stream delivers until it ends; return the memory after it."""
        stream = EventStream(self.poll.engine, self.poll.log, memory.at, end, self.most)
        compared = time.monotonic()
        try:
            while not self.poll.cancelled.is_set() and (came := stream.take(BATCH)) is not None:
                fresh = [pair for pair in came if not is_replay(*pair, memory) and self._remember(pair[0])]
                memory = heard_live(memory, fresh)
                yield Found(self._findings(fresh), memory, lazy=True)
                # While events wait in the queue, the ring would emit newer events before them. With an empty queue
                # the stream has delivered all that the ring shows.
                if stream.drained and time.monotonic() - compared >= COMPARE_SECONDS:
                    found = self._compared(memory, end)
                    memory, compared = found.state or memory, time.monotonic()
                    yield found
        finally:
            stream.stop()
        return memory

    def _findings(self, fresh: list[Known]) -> list[Finding]:
        return [_finding(name, event) for name, event in fresh if self.wanted.takes(event)]

    def _remember(self, name: str) -> bool:
        """Keep a fingerprint and return whether it is new; above LATEST the oldest is dropped."""
        if name in self.told:
            return False
        self.told[name] = None
        if len(self.told) > LATEST:
            del self.told[next(iter(self.told))]
        return True


def _finding(name: str, event: Event) -> Finding:
    return Finding(body(event), f"event {name}")


def _name(finding: Finding) -> str:
    """Return the fingerprint in the identity of a finding."""
    return finding.identity.removeprefix("event ")


def heard_live(memory: Memory, fresh: list[Known]) -> Memory:
    """Return the memory with `fresh` added: events of the stream that the last read of the ring did not show."""
    if not fresh:
        return memory
    ahead = (*memory.ahead, *(name for name, _ in fresh))[-CAPACITY:]
    newest = max(nanos(event) for _, event in fresh) // SECOND
    # The ring holds CAPACITY events: the new ones have pushed out the oldest.
    shown = memory.shown[max(len(memory.shown) + len(ahead) - CAPACITY, 0) :]
    until = max(memory.until, newest + EDGE_SECONDS + 1)
    return replace(memory, shown=shown, ahead=ahead, until=until, heard=True)
