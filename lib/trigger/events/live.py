"""Real time within one execution: what the engine's stream brings is told behind it, the ring stays the proof."""

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
"""Events that are told between two looks at the step's end; an interrupt repeats so many at most."""
LATEST = 20_000
"""Names of events that were told, to know them again; the engine's stream repeats 256 at most."""


@dataclass
class Live:
    """Tells events as they come. Every start, every end of the stream and every now and then is a look at the ring."""

    poll: Poll[Memory]
    wanted: EventFilter
    look: Callable[[Poll[Memory]], Found[Memory]]
    told: dict[str, None] = field(default_factory=dict)
    """Names of the events that were told last, and by which they are known again."""
    most: int = MOST_BYTES

    def run(self, seconds: float) -> Iterator[Found[Memory]]:
        """Yield what happens for so many seconds; every look at the ring, the last one too, is stored.

        What the stream brought before the end is told, however long that takes. When the step has to end at once
        (`cancelled`), the place is what was told.
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
                # A proxy that ends streams at once is not to be stormed.
                self.poll.cancelled.wait(RETRY_SECONDS)

    def _compared(self, memory: Memory | None, end: float) -> Found[Memory]:
        """Look at the ring; an engine that is just restarting is asked again until the time is over."""
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
        """Yield what the stream brings, until it ends; return what is known then."""
        stream = EventStream(self.poll.engine, self.poll.log, memory.at, end, self.most)
        compared = time.monotonic()
        try:
            while not self.poll.cancelled.is_set() and (came := stream.take(BATCH)) is not None:
                fresh = [pair for pair in came if not is_replay(*pair, memory) and self._remember(pair[0])]
                memory = heard_live(memory, fresh)
                yield Found(self._findings(fresh), memory, lazy=True)
                # Behind a full queue the ring would tell the newest first; all that it shows has come by the stream.
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
        """Return whether a name is new, and keep it; the oldest make room."""
        if name in self.told:
            return False
        self.told[name] = None
        if len(self.told) > LATEST:
            del self.told[next(iter(self.told))]
        return True


def _finding(name: str, event: Event) -> Finding:
    return Finding(body(event), f"event {name}")


def _name(finding: Finding) -> str:
    """Return the name of an event that was told."""
    return finding.identity.removeprefix("event ")


def heard_live(memory: Memory, fresh: list[Known]) -> Memory:
    """Return the memory with events that were told although the last look at the ring did not show them."""
    if not fresh:
        return memory
    ahead = (*memory.ahead, *(name for name, _ in fresh))[-CAPACITY:]
    newest = max(nanos(event) for _, event in fresh) // SECOND
    # Of more than the ring holds, the oldest have been thrown out.
    shown = memory.shown[max(len(memory.shown) + len(ahead) - CAPACITY, 0) :]
    until = max(memory.until, newest + EDGE_SECONDS + 1)
    return replace(memory, shown=shown, ahead=ahead, until=until, heard=True)
