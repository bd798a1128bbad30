"""The state of imageUpdated: the digest of each reference, and when each registry was asked.

A round asks all references of one registry once. If the registry refuses or the poll's time is over, the next poll
continues the round, so that the last reference is reached as often as the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.trigger.marks.compact import digits, mark, number, pieces

NAME, DIGEST, TIME = 7, 11, 6
"""Digits of the mark of a name, of a digest, and of a time in seconds."""
REFERENCE_ROOM, HOST_ROOM, HEAD_ROOM = NAME + DIGEST + 1, 2 * NAME + 2 * TIME + 1, 80
"""Characters of one reference, of one registry, and of all else in the state."""
UNKNOWN = "A" * DIGEST
_NOWHERE = "A" * NAME
_ASKED, _OUTDATED = 1, 2
_OLD_NAME = 6


@dataclass(frozen=True)
class Known:
    """What is stored of a reference.

    `digest`: the first 64 bits of the digest. `asked`: the reference was asked in the current round. `outdated`: it was
    emitted that the engine's own image has another digest.
    """

    digest: str = UNKNOWN
    asked: bool = False
    outdated: bool = False


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
    """All references (19 characters each) and registries (27 characters each), by marks of their names.

    `changes`: number of polls that found something; it makes the identities of equal changes different. `first`: a
    first run that emits everything has not reached every reference yet.
    """

    references: Mapping[str, Known] = field(default_factory=dict)
    hosts: Mapping[str, Asked] = field(default_factory=dict)
    changes: int = 0
    first: bool = False

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form."""
        state = {
            "digests": "".join(name + _written(one) for name, one in self.references.items()),
            "hosts": "".join(name + _asked(one) for name, one in self.hosts.items()),
            "changes": self.changes,
        }
        return {**state, "first": True} if self.first else state

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Digests:
        """Read `to_state` or the form of version 1.0; raises ValueError, TypeError or KeyError for anything else."""
        if "digests" not in state:
            return _old(state)
        references = {one[:NAME]: _known(one[NAME:]) for one in pieces(state["digests"], REFERENCE_ROOM)}
        hosts = {one[:NAME]: _read(one[NAME:]) for one in pieces(state["hosts"], HOST_ROOM)}
        return cls(references, hosts, int(state["changes"]), bool(state.get("first")))

    def reference(self, name: str) -> Known:
        """Return what is stored of a reference, a new entry if there is nothing."""
        short = mark(name, NAME)
        return self.references.get(short) or self.references.get(short[:_OLD_NAME]) or Known()

    def host(self, name: str) -> Asked:
        """Return what is stored of a registry, a new entry if there is nothing."""
        short = mark(name, NAME)
        return self.hosts.get(short) or self.hosts.get(short[:_OLD_NAME]) or Asked()


def _written(one: Known) -> str:
    return one.digest + digits(_ASKED * one.asked | _OUTDATED * one.outdated, 1)


def _known(text: str) -> Known:
    flags = number(text[DIGEST])
    return Known(text[:DIGEST], bool(flags & _ASKED), bool(flags & _OUTDATED))


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
