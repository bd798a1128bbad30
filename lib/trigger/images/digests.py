"""The state of imageUpdated: the digest of each reference, and when each registry was asked.

A round asks all references of one registry once. If the registry refuses or the poll's time is over, the next poll
continues the round, so that the last reference is reached as often as the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lib.trigger.marks.compact import digits, mark, number, pieces

NAME, DIGEST, TIME, FLAGS = 7, 11, 6, 2
"""Digits of the mark of a name, of a digest, of a time in seconds, and of what else is stored of a reference."""
REFERENCE_ROOM, HOST_ROOM, HEAD_ROOM = NAME + DIGEST + FLAGS, 2 * NAME + 2 * TIME + 1, 80
"""Characters of one reference, of one registry, and of all else in the state."""
UNKNOWN = "A" * DIGEST
_NOWHERE = "A" * NAME
_ASKED, _OUTDATED, _CHANGE = 1, 2, 4
_CHANGES = 1 << 10
"""Changes are counted up to here, then from 0 again."""
_OLD_NAME = 6


@dataclass(frozen=True)
class Known:
    """What is stored of a reference.

    `digest`: the first 64 bits of the digest. `asked`: the reference was asked in the current round. `outdated`: it was
    emitted that the engine's own image has another digest. `changes`: how often something was emitted of it; it makes
    the identities of equal changes different. Each reference counts for itself: what a repeat finds of others, in
    another order because a registry refuses, does not change the identity of what was emitted before.
    """

    digest: str = UNKNOWN
    asked: bool = False
    outdated: bool = False
    changes: int = 0


@dataclass(frozen=True)
class Asked:
    """What is stored of a registry. Times are in seconds of the engine's clock.

    `at`: the end of the last round. `again`: the registry is not asked before this time. `failures`: refusals in a row
    for asking too often. `begin`: mark of the reference with which the round continues, "" if the round has ended.
    """

    at: int = 0
    again: int = 0
    failures: int = 0
    begin: str = ""


@dataclass(frozen=True)
class Digests:
    """All references (20 characters each) and registries (27 characters each), by marks of their names.

    `first`: a first run that emits everything has not reached every reference yet.
    """

    references: Mapping[str, Known] = field(default_factory=dict)
    hosts: Mapping[str, Asked] = field(default_factory=dict)
    first: bool = False

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form."""
        state = {
            "known": "".join(name + _written(one) for name, one in self.references.items()),
            "hosts": "".join(name + _asked(one) for name, one in self.hosts.items()),
        }
        return {**state, "first": True} if self.first else state

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Digests:
        """Read `to_state`, the form before it, or that of 1.0; raises ValueError, TypeError or KeyError for others."""
        if "known" in state:
            references = {one[:NAME]: _known(one[NAME:]) for one in pieces(state["known"], REFERENCE_ROOM)}
        elif "digests" in state:
            references = _counted_together(state)
        else:
            return _old(state)
        hosts = {one[:NAME]: _read(one[NAME:]) for one in pieces(state["hosts"], HOST_ROOM)}
        return cls(references, hosts, bool(state.get("first")))

    def reference(self, name: str) -> Known:
        """Return what is stored of a reference, a new entry if there is nothing."""
        short = mark(name, NAME)
        return self.references.get(short) or self.references.get(short[:_OLD_NAME]) or Known()

    def host(self, name: str) -> Asked:
        """Return what is stored of a registry, a new entry if there is nothing."""
        short = mark(name, NAME)
        return self.hosts.get(short) or self.hosts.get(short[:_OLD_NAME]) or Asked()


def _written(one: Known) -> str:
    flags = _ASKED * one.asked | _OUTDATED * one.outdated | one.changes % _CHANGES * _CHANGE
    return one.digest + digits(flags, FLAGS)


def _known(text: str) -> Known:
    flags = number(text[DIGEST:])
    return Known(text[:DIGEST], bool(flags & _ASKED), bool(flags & _OUTDATED), flags // _CHANGE)


def _counted_together(state: Mapping[str, Any]) -> dict[str, Known]:
    """Read the references of a form in which all had one number of changes, and one digit of flags."""
    changes, width = int(state["changes"]), NAME + DIGEST + 1
    return {
        one[:NAME]: replace(_known(one[NAME:]), changes=changes) for one in pieces(state["digests"], width)
    }


def _asked(one: Asked) -> str:
    times = digits(one.at, TIME) + digits(one.again, TIME) + digits(min(one.failures, 63), 1)
    return times + (one.begin or _NOWHERE)


def _read(text: str) -> Asked:
    at, again, failures = text[:TIME], text[TIME : 2 * TIME], text[2 * TIME]
    begin = text[2 * TIME + 1 :]
    return Asked(number(at), number(again), number(failures), "" if begin == _NOWHERE else begin)


def _old(state: Mapping[str, Any]) -> Digests:
    """Read a state of version 1.0; its marks are the first digits of the present ones."""
    end = _OLD_NAME + DIGEST
    references = {one[:_OLD_NAME]: Known(one[_OLD_NAME:end]) for one in pieces(state["references"], end + 1)}
    hosts = {
        one[:_OLD_NAME]: Asked(number(one[6:12]), number(one[12:18]), number(one[18]))
        for one in pieces(state["registries"], _OLD_NAME + 2 * TIME + 1)
    }
    return Digests(references, hosts)
