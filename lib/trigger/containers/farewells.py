"""Findings for containers that are gone: their removal, and the end before it, which only the events still show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lib.trigger.clock import SECOND
from lib.trigger.containers.comparison import Comparison
from lib.trigger.containers.container import KEY, SHORT
from lib.trigger.containers.ended import End, untold_end
from lib.trigger.containers.lifecycle import Condition, seen
from lib.trigger.containers.messages import end_body, removed_body
from lib.trigger.events.fingerprints import Event
from lib.trigger.poll import Finding


class Farewells:
    """Findings for the containers that are missing in the list of a comparison."""

    def __init__(self, compared: Comparison) -> None:
        self.compared, self.recent, self.before = compared, compared.recent, compared.before

    def known(self) -> Iterator[Finding]:
        """Yield the removals of known containers, each after its end if that is new."""
        for key, old in self.compared.vanished().items():
            events = self.recent.remembered(key)
            is_known = self.before is not None and key in self.before.known
            end = untold_end(events, seen(old)) if is_known else None
            yield from self._of(key, events, seen(old), end)

    def never_seen(self) -> Iterator[Finding]:
        """Yield the end and the removal of containers that were created, ran and were removed since the last poll."""
        if self.before is None or not self.recent.complete:
            return
        present = {one.id for one in self.compared.listing.containers}
        for identity, event in self.recent.gone().items():
            is_known = identity[:SHORT] in self.before.old or identity in present
            if is_known or identity[:KEY] in self.before.known:
                continue
            events = self.recent.fresh(identity)
            end = untold_end(events, None)
            if end and self.compared.takes(identity, event):
                yield from self._of(identity, events, None, end)

    def _of(
        self, key: str, events: Sequence[Event], old: Condition | None, end: End | None
    ) -> Iterator[Finding]:
        if end:
            crash = end.oom or str(end.code) not in self.compared.normal
            body = end_body("crashed" if crash else "exited", events[-1], old, end)
            yield Finding(body, f"{key[:SHORT]} gone {end.time}")
        now = self.compared.poll.now * SECOND
        yield Finding(removed_body(key, events, old, now), f"{key[:SHORT]} removed")
