"""containerStateChanged: what the docs promise of each container between two polls.

Of several ends one may be told, and a start before an end may be passed over; the last end, the last start, each turn
of health, each pause, each removal must be told, and an end before a removal with its exit code.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.triggers.soak.case import Case, seconds
from tests.triggers.soak.life import STATUS, Life, Moment
from tests.triggers.soak.step import Told, Window
from tests.triggers.soak.verdict import Verdict

ENDS, STARTS = ("crashed", "exited"), ("started", "restarted")
NEAR = 3
"""Seconds between the time that a container carries and that of its event."""
EARLY = 2
"""Seconds before its event in which an inspect may show a change: engines tell a start when all of it is done."""
LOOP = 3
"""Restarts that are a loop."""
TURNS = {
    "paused": "pause",
    "unpaused": "unpause",
    "healthy": "health_status: healthy",
    "unhealthy": "health_status: unhealthy",
}


def judge(case: Case) -> Verdict:
    verdict = case.verdict()
    lives = {identity: case.life(identity) for identity in case.lives}
    for identity, life in lives.items():
        theirs = [one.body for one in case.messages if identity.startswith(_id(one))]
        for place, (at, action, about) in enumerate(life.events):
            if at > case.begin and action in _RULES:
                what = f"{action} of {life.name} {identity[:12]} at {at:.3f}"
                _RULES[action](
                    verdict, what, Happened(case, life, at, about, life.events[place + 1 :], theirs)
                )
        _turns(verdict, case, identity, life)
        _loops(verdict, case, identity, life)
    for one in case.messages:
        if problem := _problem(one.body, lives, case.record.names):
            verdict.false.append(f"{problem}: {one.body['change']} {one.body['container']} {one.at:.3f}")
    verdict.compare_ids(case.told, _key)
    return verdict


@dataclass(frozen=True)
class Happened:
    """An event of a container, what came after it, and what was told of the container."""

    case: Case
    life: Life
    at: float
    about: Mapping[str, str]
    later: Sequence[Moment]
    told: list[dict[str, Any]]

    @property
    def seen(self) -> Window | None:
        """The poll that must have found the container as this event left it."""
        window = self.case.after(self.at)
        changed = next((at for at, action, _ in self.later if action in STATUS), float("inf"))
        return window if window and changed > window.end + EARLY else None

    def has(self, changes: Collection[str], moment: str = "", code: int | None = None) -> bool:
        """Whether one of these changes was told, with the time of this event and its exit code."""
        return any(
            body["change"] in changes
            and (not moment or abs(seconds(body[moment]) - self.at) < NEAR)
            and (code is None or body["exitCode"] == code)
            for body in self.told
        )


def _created(verdict: Verdict, what: str, it: Happened) -> None:
    if it.seen:
        verdict.must(it.has(["created"]), what)


def _started(verdict: Verdict, what: str, it: Happened) -> None:
    if it.seen:
        verdict.must(it.has(STARTS, "startedAt"), what)


def _ended(verdict: Verdict, what: str, it: Happened) -> None:
    code = int(it.about["exitCode"])
    told = it.has(["exited" if code == 0 else "crashed"], "finishedAt", code)
    after = next(((at, action) for at, action, _ in it.later if action in STATUS), None)
    if it.seen:
        verdict.must(told, f"{what} with {code}")
    elif after and after[1] == "start":
        now = it.case.after(after[0])
        if it.case.before(it.at) and now and it.case.after(it.at) == now and it.life.there(now):
            times = [seconds(body["timestamp"]) for body in it.told if body["change"] in (*ENDS, "restarted")]
            verdict.must(any(it.at - NEAR < at < now.end + NEAR for at in times), f"{what}, up again")
    elif after and not it.life.was_killed(it.at):
        before, now = it.case.before(it.at), it.case.after(after[0])
        # Only the engine's memory of events still tells it.
        if before and now and it.case.remembered(before, now):
            verdict.must(told, f"{what} with {code}, then removed")


def _removed(verdict: Verdict, what: str, it: Happened) -> None:
    known = any(it.life.there(window) for window in it.case.windows) or it.has(ENDS)
    if it.case.after(it.at) and known:
        verdict.must(it.has(["removed"]), what)


_RULES: Mapping[str, Callable[[Verdict, str, Happened], None]] = {
    "create": _created,
    "start": _started,
    "die": _ended,
    "destroy": _removed,
}


def _turns(verdict: Verdict, case: Case, identity: str, life: Life) -> None:
    """Each turn of a container that a later poll found there."""
    for change, action in TURNS.items():
        times = [at for at, done, _ in life.events if done == action]
        must = sum(at > case.begin and life.seen_after(at + NEAR, case.windows) for at in times)
        ids = {one.id for one in case.messages if one.body["change"] == change and _id(one) == identity}
        for number in range(must):
            verdict.must(number < len(ids), f"{change} {life.name}: {len(ids)} of {must}")
        may = sum(at > case.begin - NEAR for at in times)
        may += _without_event(life) if change == "unhealthy" else 0
        verdict.other += [f"{change} {life.name}: {len(ids)} told, {may} happened"] * (len(ids) > may)


def _without_event(life: Life) -> int:
    """How often it was unhealthy after a pause without an event, which an engine sends for a change alone.

    To the engine what is paused is unhealthy already. A check that fails then shows in an inspect only, and in the
    next `healthy`, which follows another one.
    """
    count, paused, last = 0, False, ""
    for _, action, _ in life.events:
        if action == "unpause":
            paused = True
        elif action.startswith("health_status"):
            count += paused and action == last == TURNS["healthy"]
            paused, last = False, action
    return count


def _loops(verdict: Verdict, case: Case, identity: str, life: Life) -> None:
    """A container whose engine counted so many restarts loops; a loop has so many ends of its own.

    A poll that was killed before it told all does not count: where the container is gone by the next one, nothing but
    its end and its removal can be told.
    """
    theirs = [one for one in case.messages if _id(one) == identity]
    ids = {one.id for one in theirs if one.body["change"] == "restartLoop"}
    stored = [one for one in theirs if any(window.begin <= one.at <= window.end for window in case.windows)]
    if max((one.body["to"]["restartCount"] for one in stored if one.body["to"]), default=0) >= LOOP:
        verdict.must(bool(ids), f"restartLoop of {life.name} {identity[:12]}")
    ends = sum(done == "die" for _, done, _ in life.events)
    verdict.other += [f"{len(ids)} loops of {life.name}, which ended {ends} times"] * (len(ids) * LOOP > ends)


def _id(one: Told) -> str:
    return str(one.body["container"]["id"])


def _problem(body: Mapping[str, Any], lives: Mapping[str, Life], names: Mapping[str, set[str]]) -> str:
    change, container = body["change"], body["container"]
    life = lives.get(container["id"])
    if life is None:
        return "no such container"
    if container["id"] in names and container["name"] not in names[container["id"]]:
        return "a name that it never had"
    if change in ENDS:
        codes = life.codes_near(seconds(body["finishedAt"]), NEAR)
        right = body["exitCode"] in codes if body["exitCode"] is not None else bool(codes)
        return "" if right else f"no such end, only {codes}"
    wanted = {"removed": "destroy", "created": "create", **dict.fromkeys(STARTS, "start"), **TURNS}.get(
        change
    )
    if wanted and not any(action == wanted for _, action, _ in life.events):
        return "it did not happen"
    if change in STARTS and not life.near("start", seconds(body["startedAt"]), NEAR):
        return "no such start"
    return ""


def _key(one: Told) -> tuple[Any, ...] | None:
    body = one.body
    moment = {**dict.fromkeys(ENDS, "finishedAt"), **dict.fromkeys(STARTS, "startedAt")}
    change = body["change"]
    if change in moment:
        return _id(one), change, body[moment[change]]
    return (_id(one), change) if change in ("created", "removed") else None
