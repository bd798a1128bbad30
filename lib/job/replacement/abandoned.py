"""A replacement that nobody goes on with, since its message comes no more: the next run takes it to an end."""

from __future__ import annotations

import time
from dataclasses import replace

from lib.engine.errors import BadInput
from lib.engine.request.times import SECOND, moment
from lib.job.repeat import RUN
from lib.job.replacement.machine import CALLS, back, replaced
from lib.job.replacement.making import Wish
from lib.job.replacement.names import REPLACES, Names, Part, is_evidence, look, run_of
from lib.job.targets import listed
from lib.job.work import Work
from lib.job.writes import removed

SECONDS = 7200.0
"""Age of the new container from which on no step is taken to work on it: a check lasts an hour at most."""


def ended(work: Work, names: Names) -> None:
    """Take replacements of other runs that are old enough to an end; a dry run leaves them alone.

    Before anything is renamed the way is back, then it is forward: the new one is looked at, and the better one of the
    two stays. That the other run might still be there does no harm, since no step is taken twice.
    """
    if work.settings.dry_run:
        return
    for other in listed(work.engine):
        run = run_of(other.name, names.name)
        if run in ("", names.run) or is_evidence(other.name):
            continue
        theirs = Names(names.name, run)
        new = _new_of(work, theirs)
        if new is None or _age(new) < SECONDS:
            continue
        work.permit(*CALLS)
        work.warn(f"{names.name} was being replaced by a run that does not go on; that is brought to an end")
        _end(replace(work, run=replace(work.run, id=new.labels[RUN])), theirs, new)


def _end(work: Work, names: Names, new: Part) -> None:
    present = look(work, names.name) if new.name == names.next else None
    if present is None or present.name != names.name:
        replaced(work, names, None, lambda _: Wish({}))
        return
    if present.id == new.labels[REPLACES]:
        back(work, names, present, new, "")
    work.will("remove", "container", new.name, "it was not put in place")
    removed(lambda: work.engine.delete(CALLS[5][1], {"id": new.id}), lambda: look(work, new.id) is None)


def _new_of(work: Work, names: Names) -> Part | None:
    """Return the new container of a run of which only the name is known."""
    for name in (names.name, names.next, names.failed):
        found = look(work, name)
        if found and REPLACES in found.labels and found.labels.get(RUN, "").startswith(names.run):
            return found
    return None


def _age(part: Part) -> float:
    """Return the seconds since a container was made, by the two clocks; 0 where the engine tells no time."""
    try:
        return time.time() - moment(str(part.told.get("Created") or ""), "Created") / SECOND
    except BadInput:
        return 0.0
