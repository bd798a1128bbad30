"""What a mirror run has to take away again: an empty volume with a label says it, for nothing else outlives the step.

Names of images carry no labels, so whether a name was there before cannot be seen once it is. The volume is made before
the first change and named for the target, so whoever comes next finds it: the same message, which goes on with it, or
another one, which first takes away what a dead run has left. The create of a volume shows the one that is there, so two
at once work with one memo.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib import jsontext
from lib.engine.errors import EngineFault, NoSuchOperation, NotFound
from lib.job.mirror.lost import Lost
from lib.job.mirror.wish import is_digest
from lib.job.repeat import PREFIX, RUN, UNTIL, spec_of
from lib.job.volume_creation import volume_created
from lib.job.work import Work
from lib.job.writes import removed

MEMO = f"{PREFIX}memo"
CREATE = ("POST", "/volumes/create")
REMOVE = ("DELETE", "/volumes/{name}")
_GRACE_SECONDS = 60
"""That a run may go on beyond its time, in the middle of a call."""


@dataclass(frozen=True, slots=True)
class Memo:
    """What was so before the run."""

    to: str
    source: str
    """The source by its digest."""
    pulled: bool
    """Whether the engine did not have it."""
    tagged: bool
    """Whether the engine had nothing under the name of the target."""
    before: str
    """The digest that the target meant in its registry, "" for none."""
    nameless: tuple[str, ...] = ()
    """Ids of images without any name: the last name that is taken from one of them removes the image."""
    pinned: tuple[str, ...] = ()
    """Ids of images with a digest and no tag in the target's repository: a tag that goes takes the digests along."""
    run: str = ""
    until: int = 0
    """Until when (Unix time) its run may be at work."""

    @property
    def volume(self) -> str:
        """The name of the volume."""
        return volume_of(self.to)

    def text(self) -> str:
        """Return it as a label."""
        told = [self.to, self.source, self.pulled, self.tagged, self.before, self.nameless, self.pinned]
        return jsontext.encode(told).decode()


def volume_of(to: str) -> str:
    """Return the name of the volume that carries the memo of a target."""
    return f"job-mirror-{hashlib.sha256(to.encode()).hexdigest()[:16]}"


def found(work: Work, to: str) -> Memo | None:
    """Return the memo of a target, None where there is none; EngineFault where it is none of ours."""
    name = volume_of(to)
    try:
        reply = work.engine.get(REMOVE[1], {"name": name})
    except NoSuchOperation:
        raise
    except NotFound:
        return None
    labels = reply.read(lambda told: dict(told.get("Labels") or {}))
    try:
        return _read(labels, to)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise EngineFault(f"The volume {name} is no memo of {to}", hint="Remove this volume") from None


def kept(work: Work, memo: Memo) -> Memo:
    """Write a memo and return the one that counts: of two at once the first. In a dry run it is the given one.

    Raises Lost where the one that counts is gone already.
    """
    if not work.will("create", "volume", memo.volume, f"it remembers what the engine had before {memo.to}"):
        return memo
    until = int(time.time() + work.deadline.left) + _GRACE_SECONDS
    body = {
        "Name": memo.volume,
        "Labels": work.run.labels(spec_of(memo.to), until) | {MEMO: memo.text()},
    }
    volume_created(work, body, lambda: found(work, memo.to) is not None)
    if there := found(work, memo.to):
        return there
    raise Lost  # another delivery has just come to its end, and forgotten it


def forgotten(work: Work, memo: Memo) -> None:
    """Remove the volume of a memo."""
    fields = {"name": memo.volume}
    removed(lambda: work.engine.delete(REMOVE[1], fields), lambda: found(work, memo.to) is None)


def _read(labels: Mapping[str, str], to: str) -> Memo:
    told, source, pulled, tagged, before, nameless, pinned = jsontext.decode(labels[MEMO].encode())
    if told != to or not is_digest(source.partition("@")[2]) or not isinstance(before, str):
        raise ValueError("the memo of something else")
    for flag in (pulled, tagged):
        if not isinstance(flag, bool):
            raise TypeError("no flag")
    run, until = labels[RUN], int(labels[UNTIL])
    return Memo(to, source, pulled, tagged, before, _ids(nameless), _ids(pinned), run, until)


def _ids(told: Any) -> tuple[str, ...]:
    if not isinstance(told, list) or not all(isinstance(one, str) for one in told):
        raise TypeError("no ids")
    return tuple(told)
