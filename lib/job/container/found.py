"""The container of a name as it is there, and what of it keeps this job away."""

from __future__ import annotations

from lib.engine.errors import Conflict
from lib.job.container.wish import ABSENT, Wish
from lib.job.errors import NotSettled
from lib.job.repeat import RUN, SPEC
from lib.job.replacement.names import Part, look
from lib.job.replacement.refusals import TASK, is_own
from lib.job.work import Work

_REMOVING = "removing"


def of_name(work: Work, name: str) -> Part | None:
    """Return the container with a name, None where there is none; one that is being removed is waited for.

    An engine also answers with a container whose id begins with the name.
    """

    def late(part: Part | None) -> tuple[str, dict[str, str]]:
        return f"{name} is still being removed", {"name": part.name if part else name}

    found = work.until(lambda: look(work, name), lambda part: not _goes(part), late)
    return found if found is not None and found.name == name else None


def guard(name: str, there: Part | None) -> None:
    """Raise Conflict where a swarm has the container, or the step itself runs in it."""
    if there is not None and TASK in there.labels:
        raise Conflict(f"{name} is a task of a swarm service", hint="Change the service")
    if there is not None and is_own(there):
        raise Conflict(f"{name} is the container of this step itself", hint="Run the step elsewhere")


def of_this_wish(work: Work, wish: Wish, *found: Part | None) -> None:
    """Raise NotSettled where this run has made a container for another input, which it must not take for its own."""
    for part in found:
        ours = part is not None and part.labels.get(RUN) == work.run.id
        if ours and part is not None and part.labels.get(SPEC) != wish.spec and wish.state != ABSENT:
            raise NotSettled(
                f"{part.name} was made for another input with the same idempotency key or message id",
                hint="Give each input a key of its own",
            )


def _goes(part: Part | None) -> bool:
    return part is not None and part.told["State"].get("Status") == _REMOVING
