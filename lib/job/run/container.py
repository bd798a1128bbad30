"""The container of a run: one for all deliveries of a message, started once.

Its name is the lock: of several creates the engine lets one through. Who finds a container that was made and not
started leaves it to its maker for a moment; then the maker has died, and the container is made anew, for nobody knows
whether all files came into it. It is removed without force, which fails where the maker has started it meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import (
    BadInput,
    Busy,
    Conflict,
    EngineFault,
    NoSuchOperation,
    NotFound,
    OutcomeUnknown,
    Refused,
    Unauthorized,
)
from lib.engine.request.times import SECOND, instant
from lib.job.errors import NotSettled, NotStarted
from lib.job.repeat import RUN, SPEC
from lib.job.waiting import Deadline, TimeIsUp, until
from lib.job.work import Work
from lib.job.writes import removed

CREATE, START = ("POST", "/containers/create"), ("POST", "/containers/{id}/start")
ATTACH, PUT = ("POST", "/containers/{id}/attach"), ("PUT", "/containers/{id}/archive")
STOP, DELETE = ("POST", "/containers/{id}/stop"), ("DELETE", "/containers/{id}")
_NEVER = "0001-"
_PATIENCE = 2.0
"""Seconds that the maker of a container has for starting it."""
_TAKEN = "already in use"
_GOING = ("removing", "dead")
_ENDED = ("exited", "dead")


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the container of a run; times are the engine's texts, "" for what has not happened."""

    id: str
    name: str
    status: str
    image: str
    labels: Mapping[str, str]
    created: str
    started: str
    finished: str
    exit_code: int
    oom: bool
    error: str
    lived: float
    """Seconds from its creation to its end."""
    lasted: float
    """Seconds from its start to its end, which engines tell as too few by some milliseconds."""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Seen:
        """Read an answer of ContainerInspect."""
        state = told["State"]
        created, started, finished = (
            "" if str(text or "").startswith(_NEVER) else str(text or "")
            for text in (told.get("Created"), state.get("StartedAt"), state.get("FinishedAt"))
        )
        end = moment(finished)
        labels = told["Config"].get("Labels") or {}
        return cls(
            id=str(told["Id"]),
            name=str(told["Name"]).removeprefix("/"),
            status=str(state["Status"]),
            image=str(told.get("Image") or ""),
            labels={str(name): str(value) for name, value in labels.items()},
            created=created,
            started=started,
            finished=finished,
            exit_code=int(state.get("ExitCode") or 0),
            oom=bool(state.get("OOMKilled")),
            error=str(state.get("Error") or ""),
            lived=max(end - moment(created), 0) / SECOND,
            lasted=(end - moment(started)) / SECOND,
        )

    @property
    def is_over(self) -> bool:
        """Whether its program has run and ended."""
        return bool(self.started) and self.status in _ENDED


def moment(written: str) -> int:
    """Return a time of the engine in nanoseconds, 0 for none; ValueError for what is none, as readers of answers do."""
    try:
        return instant(written, "time") if written else 0
    except BadInput as fault:
        raise ValueError(fault.message) from None


def look(work: Work, target: str) -> Seen | None:
    """Return a container by id or name, None where it is not there."""
    try:
        return work.engine.get("/containers/{id}/json", {"id": target}).read(Seen.of)
    except NoSuchOperation:
        raise
    except NotFound:
        return None


def of_run(work: Work, spec: str) -> Seen | None:
    """Return the container of this run, None where there is none.

    Raises NotSettled where one of its name was made for another input.
    """
    found = look(work, work.run.name)
    if found is None:
        return None
    if found.labels.get(RUN) != work.run.id:
        raise NotSettled(f"A container {work.run.name} is there that this step has not made")
    if found.labels.get(SPEC) != spec:
        raise NotSettled(
            f"{work.run.name} was made for another input with the same idempotency key or message id",
            hint="Give each input a key of its own",
        )
    return found


def left_alone(work: Work, found: Seen) -> Seen | None:
    """Return a container that was not started once it is, or None where it is gone; after a moment as it is."""
    patience = Deadline(min(_PATIENCE, work.settings.max_seconds / 2))
    last: list[Seen | None] = [found]

    def again() -> Seen | None:
        last[0] = look(work, found.id)
        return last[0]

    def is_settled(seen: Seen | None) -> bool:
        return seen is None or bool(seen.started)

    try:
        return until(patience, work.context.cancelled, again, is_settled, lambda _: ("", {}))
    except TimeIsUp:
        return last[0]


def created(work: Work, body: Mapping[str, Any]) -> str | None:
    """Create the container of the run and return its id, None where another delivery of the message was faster.

    Raises NotSettled where that one has removed it again.
    """
    try:
        reply = work.engine.post(
            CREATE[1], {"name": work.run.name}, query=("name",), body=dict(body), timeout="slow"
        )
    except Conflict as refused:
        if _shows_up(work):
            return None
        if _TAKEN not in refused.message:
            raise
        raise removed_too_soon(work.run.name) from refused
    except OutcomeUnknown:
        if look(work, work.run.name) is None:
            raise
        return None  # made, perhaps by us: as one that is found
    warnings, identity = reply.read(lambda told: (list(told.get("Warnings") or []), str(told["Id"])))
    for warning in warnings:
        work.warn(str(warning))
    return identity


def _shows_up(work: Work) -> bool:
    """Whether the container whose name is taken is there: an engine holds the name a little before and after."""
    shows_up, patience = lambda seen: seen is not None, Deadline(_PATIENCE)
    try:
        until(
            patience, work.context.cancelled, lambda: look(work, work.run.name), shows_up, lambda _: ("", {})
        )
    except TimeIsUp:
        return False
    return True


def started(work: Work, identity: str, began: Callable[[], object]) -> bool:
    """Start a container, once; False where another delivery has made it anew. `began` is called once it runs.

    Raises NotStarted with the engine's reason where it refuses, and removes the container.
    """
    try:
        work.engine.post(START[1], {"id": identity}, timeout="slow", unchanged=True)
    except (Busy, Unauthorized):
        raise
    except OutcomeUnknown:
        seen = look(work, identity)
        if seen is None or not seen.started:
            raise
    except Refused as refused:
        seen = look(work, identity)
        if seen is None:
            return False
        if not seen.started:
            if isinstance(refused, EngineFault) and not seen.error:
                raise  # a proxy, or an engine that has not come so far
            gone(work, identity)
            raise NotStarted(
                f"The program was not started: {refused.message}", hint=refused.hint, exitCode=seen.exit_code
            ) from refused
    began()
    return True


def taken_away(work: Work, identity: str) -> None:
    """Remove a container that was never started; one that has been started meanwhile stays."""
    try:
        removed(lambda: _delete(work, identity, force=False), lambda: look(work, identity) is None)
    except Conflict:
        return


def is_there(work: Work, identity: str) -> bool:
    """Whether a container is there, and not about to go."""
    seen = look(work, identity)
    return seen is not None and seen.status not in _GOING


def removed_too_soon(name: str) -> NotSettled:
    """Return the error for a container that somebody has removed."""
    return NotSettled(
        f"{name} was removed before its outcome was known",
        hint="Another delivery of the same message may have told it",
    )


def gone(work: Work, identity: str) -> None:
    """Remove a container with its anonymous volumes; what is gone, or going, is as good."""
    try:
        removed(lambda: _delete(work, identity, force=True), lambda: look(work, identity) is None)
    except Conflict:
        if is_there(work, identity):
            raise


def _delete(work: Work, identity: str, *, force: bool) -> None:
    fields = {"id": identity, "force": force, "v": True}
    work.engine.delete(DELETE[1], fields, query=("force", "v"), timeout="slow")
