"""One poll of containerStateChanged: compares all selected containers with the last poll.

An inspect costs one call for each container, so the comparison inspects only where it must:

1. List all containers, then read the ring of events up to EDGE_SECONDS ago (`__init__`). In this order the events
   cover each container that is missing in the list.
2. Inspect what may have changed (`look`). A container is skipped if the list proves that it is as the last poll stored
   it (lib/trigger/containers/list_status.py) and no new event names it.
3. If an event must exist but is too young to have been read, read the ring again up to the present
   (`read_what_is_too_young`), and inspect once more what these events name.
4. Yield the changes of each inspected container (`changed`, by lib/trigger/containers/between.py).
   lib/trigger/containers/farewells.py does the same for containers that are gone (`vanished`).

`known` collects the conditions to store. A container that cannot be inspected keeps its stored condition, so a later
poll finds the change. The rules are those of docs/triggers.md#containerstatechanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lib.config.selection import Selection
from lib.trigger.clock import SECOND
from lib.trigger.containers.between import Between
from lib.trigger.containers.conditions import LEAST, Conditions
from lib.trigger.containers.container import KEY, SHORT, Container, listing, selected
from lib.trigger.containers.lifecycle import Condition, Loop, counted, seen
from lib.trigger.containers.list_status import unchanged
from lib.trigger.containers.looks import Look, fault, key, look_at, name
from lib.trigger.containers.messages import attributes, change_body, event_of, moment_of
from lib.trigger.containers.news import News
from lib.trigger.containers.turns import TURNS
from lib.trigger.events.recent import Place, RecentEvents
from lib.trigger.poll import Finding, Poll


class Comparison:
    """The state of one comparison; call `look`, then `read_what_is_too_young`, then `changed`.

    `normal`: exit codes that are no crash. `loop`: how many restarts are a loop. Raises EngineError.
    """

    def __init__(self, poll: Poll[Conditions], normal: frozenset[str], loop: Loop) -> None:
        self.poll, self.before = poll, poll.state
        self.normal, self.loop = normal, loop
        self.selection = Selection.of(poll.form)
        self.news = News(poll.now, self.before.at if self.before else None, poll.start)
        self.listing = listing(poll.engine)
        # After the list: then the events cover each container that is missing in it.
        place = self.before.place if self.before else Place()
        self.recent = RecentEvents.read(poll.engine, place, poll.now)
        self.known: dict[str, Condition] = {}
        self.chosen: Sequence[Container] = ()
        self.late: set[str] = set()
        self.looks: list[tuple[Look, Condition | None]] = []
        self.minutes = max(poll.now // 60 - self.before.at // 60, 0) if self.before else 0

    def look(self) -> None:
        """Inspect containers that may have changed; store the others as they were."""
        poll = self.poll
        chosen = self.chosen = selected(self.listing.containers, self.selection, poll.engine)
        poll.need_room(len(chosen) * LEAST)
        touched, asked = self._touched(), []
        for one in chosen:
            old = self._old(one)
            if old and self._proven(one, old, touched):
                self.known[one.key], _ = counted(old, old, self.minutes, self.loop)
                poll.skip(one.id)
            else:
                asked.append(one)
        self._ask(asked)

    def _ask(self, asked: Sequence[Container]) -> None:
        for one, look in self.poll.each(asked, look_at, key=key, name=name, fault=fault, missed=self._keep):
            if look.condition.status == "removing":
                self._keep(one)  # once it is gone, the events show whether it ended before
                continue
            old = self._old(one)
            if old is None and self.before and (unread := self.before.old.get(one.short)):
                old = unread.beside(look.inspected["State"])
            self.looks.append((look, old))

    def _proven(self, one: Container, old: Condition, touched: frozenset[str]) -> bool:
        if self.before is None or self.listing.made is None or self.poll.now < self.before.at:
            return False
        if self.recent.complete and one.id in touched:
            return False
        since = self.recent.until if self.recent.complete else self.before.at
        return unchanged(one, old, since=since, earliest=self.poll.now, latest=self.listing.made + 1)

    def _touched(self) -> frozenset[str]:
        return self.recent.touched(self.before.at if self.before else 0)

    def _old(self, one: Container) -> Condition | None:
        return self.before.known.get(one.key) if self.before else None

    def _keep(self, one: Container) -> None:
        """Store a container that could not be inspected as it was, so that the next poll finds its changes."""
        old = self._old(one)
        if old:
            self.known[one.key] = replace(old, stale=True)
        elif self.news.has(one.created) or one.id in self._begun():
            self.known[one.key] = Condition.awaited()

    def read_what_is_too_young(self) -> None:
        """Read the events up to the present if one is missing that must exist, or if no place in them is stored yet."""
        begins = self.before is None or bool(self.before.old)
        if begins or self._without_event() or any(self._lacks(*pair) for pair in self.looks):
            self.recent.deepen()
            self._look_at_what_they_name()
        if self.recent.deep:
            self._await_those_made_after_the_list()

    def _await_those_made_after_the_list(self) -> None:
        """Store a condition for containers that only the events name.

        Such a container was created after the list, or removed before it was inspected. Its end may be among the
        events already read and its removal not. With the stored condition, the next poll compares it, or finds its end
        in the ring again.
        """
        present = {one.id for one in self.listing.containers}
        over = self.recent.gone().keys() - present  # `never_seen` in farewells.py emits them
        looked = {look.container.id for look, _ in self.looks}
        for identity, event in self._begun().items():
            kept = identity in looked or identity[:KEY] in self.known
            if not kept and identity not in over and self.takes(identity, event):
                self.known[identity[:KEY]] = Condition.awaited()

    def _begun(self) -> Mapping[str, Any]:
        """Return container id -> event for containers created or started since the last poll.

        Empty if the events are not complete.
        """
        return self.recent.began("create", "start") if self.recent.complete else {}

    def takes(self, identity: str, event: Mapping[str, Any]) -> bool:
        """Return whether the selection takes the container of an event."""
        facts = attributes(event)
        return self.selection.takes((str(facts.get("name")),), (identity,), facts, str(facts.get("image")))

    def _look_at_what_they_name(self) -> None:
        """Inspect containers that only the second read of the events names, or that have ended since their inspect.

        To the next poll these events are not new any more, so this poll has to handle them. These inspects are newer
        than the events (`late`). A container that has ended is inspected again, so that its end and its next run are
        compared together.
        """
        if not self.recent.complete:
            return
        looked, touched = {look.container.id for look, _ in self.looks}, self._touched()
        over = {look.container.id for look, old in self.looks if self._between(look, old).walk().over}
        late = [
            one
            for one in self.chosen
            if one.id in over or (one.key in self.known and one.id in touched and one.id not in looked)
        ]
        earlier, self.looks = self.looks, []
        self._ask(late)
        self.late = {look.container.id for look, _ in self.looks}
        self.looks = [*(pair for pair in earlier if pair[0].container.id not in self.late), *self.looks]

    def _between(self, look: Look, old: Condition | None) -> Between:
        return Between(look, old, self.recent, self.news.since, self.normal)

    def _lacks(self, look: Look, old: Condition | None) -> bool:
        return not self._is_silent(look, old) and self._between(look, old).lacks()

    def _is_silent(self, look: Look, old: Condition | None) -> bool:
        """Return whether an unknown container is stored without a message.

        It is not new: the selection takes it only now, or this is a first run.
        """
        times = (look.container.created, look.condition.started, look.condition.finished)
        return old is None and not self.news.has(*times) and look.container.id not in self._begun()

    def _without_event(self) -> bool:
        """Return whether a container is gone and its removal is not among the events."""
        gone = self.recent.gone()
        told = {identity[:SHORT] for identity in gone}
        if any(key[:SHORT] not in told for key in self.vanished()):
            return True
        # Created since the last poll and missing in the list: its removal may be too young to have been read.
        return bool(self._begun().keys() - gone.keys() - {one.id for one in self.listing.containers})

    def changed(self) -> Iterator[Finding]:
        """Yield the changes of the inspected containers, and store their conditions."""
        for look, old in self.looks:
            now, loops = counted(seen(old), look.condition, self.minutes, self.loop)
            self.known[look.container.key] = now
            if self._is_silent(look, old):
                self.known[look.container.key] = replace(now, told=False, recent=0)
                continue
            between = self._between(look, old)
            found, end = between.found()
            turns, now = between.turns(now, found, late=look.container.id in self.late)
            self.known[look.container.key] = now
            for change in found:
                if change not in TURNS:
                    one = self._finding(
                        change, look, old, moment_of(change, look), event_of(change, old, now)
                    )
                    crash = end if change == "crashed" else None
                    yield replace(one, body={**one.body, "exitCode": crash.code}) if crash else one
            for turn in turns:
                at = self.before.at if self.before else 0
                event = f"{turn.change} {turn.time or f'after {at}'}"
                yield self._finding(turn.change, look, old, turn.time, event)
            if loops:
                window = self.poll.now // 60 - now.age if seen(old) else 0
                yield self._finding("restartLoop", look, old, 0, f"loop {window}")

    def _finding(self, change: str, look: Look, old: Condition | None, moment: int, event: str) -> Finding:
        body = change_body(change, look, seen(old), moment or self.poll.now * SECOND)
        return Finding(body, f"{look.container.id} {event}")

    def vanished(self) -> dict[str, Condition]:
        """Return the known containers that are missing in the list, by the stored part of their ids."""
        if self.before is None:
            return {}
        keys = {one.key for one in self.listing.containers}
        shorts = {one.short for one in self.listing.containers}
        gone = {key: old for key, old in self.before.known.items() if key not in keys}
        return gone | {key: old.condition for key, old in self.before.old.items() if key not in shorts}
