"""Containers that are held still while their volume is copied, and go on afterwards whatever comes of the copy.

Who ran before stands in a label of the helper container. So a step that dies leaves that knowledge on the engine, and
the next delivery of its message lets them go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lib.engine.errors import Conflict, EngineError, NotFound
from lib.job.repeat import PREFIX
from lib.job.states import look_at
from lib.job.users import User
from lib.job.work import Work

NONE, PAUSE, STOP = "none", "pause", "stop"
LABEL = f"{PREFIX}paused"
RUNNING, PAUSED = "running", "paused"
_ACTIONS = {PAUSE: ("pause", "unpause"), STOP: ("stop", "start")}
_PATH = "/containers/{id}/"


def calls(how: str) -> tuple[tuple[str, str], ...]:
    """Return the writes that holding still needs."""
    return tuple(("POST", f"/containers/user/{action}") for action in _ACTIONS.get(how, ()))


def label(how: str, users: list[User]) -> dict[str, str]:
    """Return the label for those that run now; they are held still by a first delivery."""
    running = [user["id"] for user in users if user["state"] == RUNNING]
    return {LABEL: ",".join(running)} if how != NONE and running else {}


def planned(work: Work, how: str, users: list[User]) -> None:
    """Enter into the plan what is done to those that run."""
    for action in _ACTIONS.get(how, ()):
        for user in users:
            if user["state"] == RUNNING:
                work.will(action, "container", user["name"], "for the time of the copy")


@contextmanager
def held_still(work: Work, how: str, labels: Mapping[str, str]) -> Iterator[None]:
    """Hold the containers of the label still; in any end they go on, also where the step has to end."""
    members = [one for one in labels.get(LABEL, "").split(",") if one]
    if not members or how == NONE:
        yield
        return
    first, last = _ACTIONS[how]
    try:
        for member in members:
            if look_at(work.engine, member).status == RUNNING:
                _do(work, first, member)
        yield
    except BaseException:
        _go_on(work, last, members, failed=True)
        raise
    _go_on(work, last, members, failed=False)


def _go_on(work: Work, action: str, members: list[str], *, failed: bool) -> None:
    problems: list[EngineError] = []
    for member in members:
        try:
            _do(work, action, member)
        except (Conflict, NotFound):  # goes on already, or is gone
            continue
        except EngineError as problem:
            problems.append(problem)
            work.warn(f"{member[:12]} does not go on: {problem}")
    if problems and not failed:
        raise problems[0]


def _do(work: Work, action: str, container: str) -> None:
    stops = action in ("stop", "start")  # those may take long, and have an answer for what is so already
    work.engine.post(_PATH + action, {"id": container}, timeout="slow" if stops else "short", unchanged=stops)
