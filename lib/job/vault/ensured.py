"""The secret or config of an input: made, compared, made anew, or removed.

Its content cannot be changed. With versions another content is another object, NAME.v1, NAME.v2 and so on, so that
services go over to it one by one; fixed means one object of that very name, which is removed and made anew.
"""

from __future__ import annotations

from typing import Any

from lib.engine.errors import Conflict
from lib.engine.swarm_update import update
from lib.job.comparison import Difference, foreign
from lib.job.repeat import RUN
from lib.job.vault.kind import Kept, Kind, of_name, versions_of
from lib.job.vault.users import guard, remove
from lib.job.vault.wish import NEW_VERSION, Wish, name_of
from lib.job.work import Work
from lib.job.writes import sent

_TRIES = 20
"""Looks while others make the same one at the same moment; each of them makes one at most."""


def ensured(work: Work, kind: Kind) -> dict[str, Any]:
    """Return the output of EnsureSecret or EnsureConfig.

    Raises WouldDestroy, which names the services, where one that has to go is in use.
    """
    versioned = work.fields.get("versions") != "fixed"
    name = name_of(work, kind, versioned=versioned)
    if work.fields.get("state") == "absent":
        return _absent(work, kind, name, versioned=versioned)
    wish = Wish.of(work, kind, name)
    return newest_version(work, wish) if versioned else _fixed(work, wish)


def newest_version(work: Work, wish: Wish) -> dict[str, Any]:
    """Have a newest version with the content of the wish, and return what a message says of it."""
    for _ in range(_TRIES):
        there = versions_of(work.engine, wish.kind, wish.name)
        newest = there[-1] if there else None
        differences = wish.other_content(newest) if newest else []
        if newest and not differences:
            return _labelled(work, wish, newest)
        if own := _own(work, wish, there):
            work.warn(
                f"{own.name} was made by this message before; {there[-1].name} is newer, and stays the newest"
            )
            return _output(own, "none")
        number = newest.version + 1 if newest else 1
        reason = f"{newest.name} has another content" if newest else "there is no version of it"
        made = _made(work, wish, f"{wish.name}.v{number}", reason)
        if made is not None:
            told = [{**one, "effect": NEW_VERSION} for one in differences]
            return _output(made, "created", told) | {"version": number}
    raise _too_many(wish)


def _own(work: Work, wish: Wish, there: list[Kept]) -> Kept | None:
    """Return the version that an earlier delivery of this message made: it must not come back over a newer one."""
    mine = [kept for kept in there[:-1] if kept.labels.get(RUN) == work.run.id]
    return next((kept for kept in reversed(mine) if not wish.other_content(kept)), None)


def _fixed(work: Work, wish: Wish) -> dict[str, Any]:
    differences: list[Difference] = []
    old: dict[str, str] = {}
    reason = "it is missing"
    for _ in range(_TRIES):
        there = of_name(work.engine, wish.kind, wish.name)
        if there and not (now := wish.other_content(there)):
            told = _labelled(work, wish, there)
            return told | ({"action": "recreated", "differences": differences} if differences else {})
        if there:
            differences, old = now, foreign(there.labels)
            reason = "it was removed to be made anew"
            _make_way(work, wish, there, differences)
        made = _made(work, wish, wish.name, reason, old)
        if made is not None:
            return _output(made, "recreated" if differences else "created", differences)
    raise _too_many(wish)


def _make_way(work: Work, wish: Wish, there: Kept, differences: list[Difference]) -> None:
    guard(work, wish.kind, "Recreating", [there], differences=differences)
    work.permit(("DELETE", wish.kind.one), ("POST", wish.kind.create))
    known = there.has(wish.content) is not None
    reason = "it differs" if known else "nothing tells its content"
    remove(work, wish.kind, there, reason, "Recreating", differences=differences)


def _made(work: Work, wish: Wish, name: str, reason: str, old: dict[str, str] | None = None) -> Kept | None:
    """Create it and return it; None where another one of this name was faster. In a dry run it has no id."""
    kind = wish.kind
    work.permit(("POST", kind.create))
    if not work.will("create", kind.name, name, reason):
        return Kept("", name, {}, bool(wish.templating), None)
    body = wish.body(name, {**(old or {}), **work.run.labels(wish.spec)})

    def is_mine() -> bool:
        there = of_name(work.engine, kind, name)
        return there is not None and there.labels == body["Labels"]

    identity = [""]

    def create() -> None:
        identity[0] = work.engine.post(kind.create, body=body).read(lambda told: str(told["ID"]))

    try:
        sent(create, is_mine)
    except Conflict:
        work.without_effect()
        return None
    made = of_name(work.engine, kind, name) if not identity[0] else None
    return made or Kept(identity[0], name, body["Labels"], bool(wish.templating), None)


def _labelled(work: Work, wish: Wish, there: Kept) -> dict[str, Any]:
    """Give it the labels that are wanted, which can be changed where it is."""
    kind, differences = wish.kind, wish.other_labels(there)
    if not differences:
        return _output(there, "none")
    work.permit(("POST", kind.update))
    names = ", ".join(one["path"] for one in differences)
    if work.will("update", kind.name, there.name, f"it differs: {names}"):
        fields = {"id": there.id, "requestBody": {"Labels": dict(wish.labels or {})}}

        def took_effect() -> bool:
            now = of_name(work.engine, kind, there.name)
            return now is not None and not wish.other_labels(now)

        sent(lambda: update(work.engine, kind.one, kind.update, fields), took_effect)
    return _output(there, "updated", differences)


def _absent(work: Work, kind: Kind, name: str, *, versioned: bool) -> dict[str, Any]:
    only = None if versioned else of_name(work.engine, kind, name)
    there = versions_of(work.engine, kind, name) if versioned else [only] if only else []
    if there:
        guard(work, kind, "Removing", there)
        work.permit(("DELETE", kind.one))
    for kept in there:
        remove(work, kind, kept, "it shall be absent", "Removing")
    return {"action": "removed" if there else "none", "id": "", "name": name, "differences": []}


def _output(kept: Kept, action: str, differences: list[Difference] | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"action": action, "id": kept.id, "name": kept.name}
    if kept.version:
        told["version"] = kept.version
    return told | {"differences": differences or []}


def _too_many(wish: Wish) -> Conflict:
    return Conflict(
        f"Others make the {wish.kind.name} {wish.name} again and again",
        hint="Let one flow alone have this name",
    )
