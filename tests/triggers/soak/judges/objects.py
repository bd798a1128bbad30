"""objectChanged: what was made and is there at the next poll, images whose names moved, services that changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import partial
from typing import Any

from tests.triggers.soak.case import Case
from tests.triggers.soak.record import Retag
from tests.triggers.soak.step import Told, Window
from tests.triggers.soak.verdict import Verdict


def judge(case: Case) -> Verdict:
    verdict = case.verdict()
    told: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for one in case.messages:
        told[one.body["type"], one.body["id"]].append(one)
    _made(verdict, case, told)
    _moved(verdict, case)
    _false(verdict, case, told)
    verdict.compare_ids(case.told, _key)
    return verdict


def _made(verdict: Verdict, case: Case, told: dict[tuple[str, str], list[Told]]) -> None:
    for thing in case.record.things:
        theirs = [one.body for one in told[thing.type, thing.id]]
        if thing.made.begin > case.begin and any(thing.there(w.begin, w.end) for w in case.windows):
            made = any(body["change"] == "created" for body in theirs)
            verdict.must(made, f"created {thing.type} {thing.id} at {thing.made.end:.3f}")
        for span, version in thing.versions:
            seen = any(w.begin > span.end and thing.there(w.begin, w.end) for w in case.windows)
            if seen and span.begin > case.begin:
                newest = max((int(body["object"]["Version"]["Index"]) for body in theirs), default=0)
                verdict.must(newest >= version, f"change of {thing.type} {thing.id} to {version}")


def _moved(verdict: Verdict, case: Case) -> None:
    """Images whose names at a poll are surely not those of the poll before."""
    images = {image for one in case.record.retags for image in (one.image, one.old) if image}
    for image in sorted(images):
        for before, now, old, new in case.changes(partial(_names, case.record.retags, image)):
            told = {one.body["id"] for one in case.during(before, now) if one.body["type"] == "image"}
            what = f"image {image[:19]} at {now.begin:.3f}: {sorted(old)}, then {sorted(new)}"
            verdict.must(image in told, what)


def _names(retags: list[Retag], image: str, window: Window) -> frozenset[str] | None:
    """The names of an image during a poll; None where one may have come or gone in it."""
    names: set[str] = set()
    for one in retags:
        if image in (one.image, one.old) and one.image != one.old:
            if one.span.begin <= window.end and one.span.end >= window.begin:
                return None
            if one.span.end < window.begin:
                (names.add if one.image == image else names.discard)(one.name)
    return frozenset(names)


def _false(verdict: Verdict, case: Case, told: dict[tuple[str, str], list[Told]]) -> None:
    things = {(one.type, one.id): one for one in case.record.things}
    turns = Counter(image for one in case.record.retags for image in {one.image, one.old} if image)
    for (kind, identity), messages in told.items():
        changed = {one.id for one in messages if one.body["change"] == "changed"}
        thing = things.get((kind, identity))
        if kind == "image":
            most = turns[identity]
        elif thing is None:
            verdict.false.append(f"{kind} {identity} {messages[0].body['change']}: not of the soak")
            continue
        else:
            most = len(thing.versions)
        if len(changed) > most:
            verdict.false.append(f"{kind} {identity} changed {len(changed)} times, really {most}")


def _key(one: Told) -> tuple[Any, ...] | None:
    body = one.body
    if body["change"] == "created":
        return body["type"], body["id"], "created"
    version = (body["object"].get("Version") or {}).get("Index")
    return (body["type"], body["id"], version) if version else None
