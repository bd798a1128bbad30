"""Trigger imageUpdated (docs/triggers.md#imageupdated): a reference has a new digest in its registry.

The engine asks the registry for the digest (DistributionInspect); nothing is pulled. lib/trigger/images/rounds.py
decides which references a poll asks for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lib.config.form import Form, choice, words
from lib.engine import Engine
from lib.engine.errors import BadInput, EngineError, NoSuchOperation, NotFound
from lib.engine.request.registry_auth import RegistryAuth, host_of_reference
from lib.trigger import Fault, Finding, Found, Poll, trigger
from lib.trigger.clock import SECOND, iso
from lib.trigger.dropdowns import images
from lib.trigger.images.digests import (
    DIGEST,
    HEAD_ROOM,
    HOST_ROOM,
    NAME,
    REFERENCE_ROOM,
    UNKNOWN,
    Digests,
    Known,
)
from lib.trigger.images.reference import problem
from lib.trigger.images.rounds import asked, ended, minutes, rounds_of
from lib.trigger.marks.compact import digits, mark, number

__all__ = ["image_updated", "images"]

_DIGEST = re.compile(r"[A-Za-z0-9+._-]+:([0-9A-Fa-f]{32,128})")
SAMPLE = {
    "kind": "updated",
    "reference": "shop/web:2.4",
    "registry": "docker.io",
    "digest": "sha256:1b2a394857660718293a4b5c6d7e8f90128f0f1c1ed3a6e3ba7b6d4d0a3f5f0c",
    "previous": "9f86d081884c7d65",
    "mediaType": "application/vnd.oci.image.index.v1+json",
    "platforms": ["linux/amd64", "linux/arm64"],
    "local": [],
    "localOutdated": None,
    "timestamp": "2026-01-01T12:00:00Z",
}


def current(poll: Poll[Digests]) -> dict[str, Any] | None:
    """Return the body for the present digest of the first reference, for a try-out; None if it cannot be read."""
    reference = _references(poll)[0]
    try:
        return _body(poll, reference, *_look_up(poll, poll.engine, reference, Known()), Known())
    except EngineError:
        return None


@trigger("imageUpdated", read=Digests.from_state, sample=SAMPLE, live=current, settings=minutes)
def image_updated(poll: Poll[Digests]) -> Found[Digests]:
    """Look up the digests of the due references: DistributionInspect, ImageInspect."""
    references = _references(poll)
    rounds = rounds_of(poll, references)
    poll.need_room(HEAD_ROOM + REFERENCE_ROOM * len(references) + HOST_ROOM * len(rounds))
    before = poll.state or Digests(first=poll.start is not None)
    known = {name: before.reference(name) for name in references}
    findings = []

    def look_up(engine: Engine, reference: str) -> tuple[Mapping[str, Any], list[str]]:
        return _look_up(poll, engine, reference, known[reference])

    for reference, (answer, local) in asked(poll, rounds, known, look_up):
        old = known[reference]
        new = _known(poll, answer, local, old.changes)
        if _is_news(poll, before, old, new):
            body = _body(poll, reference, answer, local, old)
            findings.append(Finding(body, f"{reference} {body['digest']} {old.digest} {old.changes}"))
            new = replace(new, changes=old.changes + 1)
        known[reference] = new
    hosts = {mark(one.host, NAME): ended(poll, one, known) for one in rounds.values()}
    first = before.first and any(host.begin or not host.at for host in hosts.values())
    digests = {mark(name, NAME): one for name, one in known.items()}
    return Found(findings, Digests(digests, hosts, first))


def _references(poll: Poll[Digests]) -> list[str]:
    """Return the valid references of the form; each other one adds a warning, once. BadInput if none is valid."""
    names = list(dict.fromkeys((*words(poll.form, "references"), *words(poll.form, "images"))))
    if not names:
        raise BadInput("references: name at least one image, such as nginx:1.27", field="references")
    wrong = {name: found for name in names if (found := problem(name))}
    if len(wrong) == len(names):
        name, found = next(iter(wrong.items()))
        raise BadInput(f"references: {name!r} cannot be watched. {found}", field="references")
    for name, found in wrong.items():
        poll.failed(name, Fault("invalid", f"{name!r} cannot be watched. {found}", {"reference": name}))
    return [name for name in names if name not in wrong]


def _look_up(
    poll: Poll[Digests], engine: Engine, reference: str, old: Known
) -> tuple[Mapping[str, Any], list[str]]:
    """Return the registry's answer, and the digests of the engine's own image if they matter for the result."""
    answer = engine.get(
        "/distribution/{+name}/json", {"name": reference}, headers=(RegistryAuth("name"),), timeout="slow"
    ).json()
    short = _short(answer)
    if short == old.digest and not _by_local(poll.form):
        return answer, []
    try:
        image = engine.get("/images/{+name}/json", {"name": reference}).json()
    except NoSuchOperation:
        raise
    except NotFound:
        return answer, []
    return answer, [str(entry).partition("@")[2] for entry in image.get("RepoDigests") or ()]


def _by_local(form: Form) -> bool:
    return choice(form, "compare", ("registry", "local")) == "local"


def _digest(answer: Mapping[str, Any]) -> str:
    return str((answer.get("Descriptor") or answer.get("descriptor") or {}).get("digest") or "")


def _short(answer: Mapping[str, Any]) -> str:
    found = _DIGEST.fullmatch(_digest(answer))
    if not found:
        raise EngineError(f"The engine's answer has no digest: {_digest(answer)[:100]!r}")
    return digits(int(found[1][:16], 16), DIGEST)


def _known(poll: Poll[Digests], answer: Mapping[str, Any], local: Sequence[str], changes: int) -> Known:
    outdated = _by_local(poll.form) and bool(local) and _digest(answer) not in local
    return Known(_short(answer), asked=True, outdated=outdated, changes=changes)


def _is_news(poll: Poll[Digests], before: Digests, old: Known, new: Known) -> bool:
    if _by_local(poll.form):
        return new.outdated and (not old.outdated or old.digest != new.digest)
    return old.digest != new.digest and (old.digest != UNKNOWN or before.first)


def _body(
    poll: Poll[Digests], reference: str, answer: Mapping[str, Any], local: Sequence[str], old: Known
) -> dict[str, Any]:
    platforms = [
        "/".join(str(part) for part in (one.get("os"), one.get("architecture"), one.get("variant")) if part)
        for one in answer.get("Platforms") or ()
        if isinstance(one, Mapping)
    ]
    return {
        "kind": "updated",
        "reference": reference,
        "registry": host_of_reference(reference),
        "digest": _digest(answer),
        "previous": None if old.digest == UNKNOWN else f"{number(old.digest):016x}",
        "mediaType": (answer.get("Descriptor") or {}).get("mediaType"),
        "platforms": platforms,
        "local": list(local),
        "localOutdated": _digest(answer) not in local if local else None,
        "timestamp": iso(poll.now * SECOND),
    }
