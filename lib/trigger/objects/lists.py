"""Reads the engine's lists of images, volumes, networks and swarm objects; a bad entry does not spoil the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import shortened
from lib.trigger.faults import Fault
from lib.trigger.objects.objects import Named
from lib.trigger.objects.seen import SWARM
from lib.trigger.poll import Poll


@dataclass(frozen=True)
class Listed:
    """The objects of one kind; `whole` is False if a volume driver did not answer, so that volumes are missing."""

    objects: Sequence[Named]
    whole: bool = True


def read_list(poll: Poll[Any], kind: str, answer: Any) -> Listed:
    """Return the objects in the engine's answer, in order of time and id.

    An entry that cannot be read, and a list that is not whole, each add a warning to the poll, once.
    """
    volumes = answer if kind == "volumes" else {"Volumes": answer}
    found = []
    for place, thing in enumerate(volumes.get("Volumes") or ()):
        try:
            found.append(_read(kind, thing))
        except (TypeError, AttributeError, ValueError, KeyError):
            identity = thing.get("ID") if isinstance(thing, dict) else None
            poll.failed(f"{kind} {identity or place}", _unreadable(kind))
    warnings = volumes.get("Warnings")
    if warnings:
        poll.failed("volumes", _missing(warnings))
    return Listed(sorted(found, key=lambda one: (one.time, one.id)), not warnings)


def _read(kind: str, thing: Any) -> Named:
    one = Named.of(kind, thing)
    if kind in SWARM and one.index < 0:
        raise ValueError("a version is a positive number")
    return one


def _unreadable(kind: str) -> Fault:
    text = f"An entry of the engine's list of {kind} cannot be read; the others are watched"
    return Fault("objectFailed", text, {"type": kind.removesuffix("s")})


def _missing(warnings: Any) -> Fault:
    said = "; ".join(str(one) for one in warnings) if isinstance(warnings, list) else str(warnings)
    text = f"The engine's list of volumes is not whole: {shortened(said)}. The missing ones keep their places"
    return Fault("volumesMissing", text)
