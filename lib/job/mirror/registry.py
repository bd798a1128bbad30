"""What the two registries say of a reference; the engine asks them, with the logins of the credential."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import Busy, EngineError, NoSuchOperation, NotFound, Refused, TimedOut, Unauthorized
from lib.engine.request.registry_auth import RegistryAuth
from lib.job.mirror.hiccups import tried_again
from lib.job.mirror.wish import Wish, is_digest
from lib.job.work import Work
from lib.trigger.images.registry_refusals import outcome, reference_fault

_PATH = "/distribution/{+name}/json"
_MOST_PLATFORMS = 200
_KINDS: Mapping[str, type[Refused]] = {
    "notFound": NotFound,
    "unauthorized": Unauthorized,
    "rateLimited": Busy,
}
# Docker Hub and others say so of a repository that the first push makes, and to a login that may only push.
_MAY_BE_PUSHED = "requested access to the resource is denied"


@dataclass(frozen=True, slots=True)
class Told:
    """The digest that a reference means in its registry, and what it runs on, such as linux/arm64."""

    digest: str
    platforms: tuple[str, ...]


def source(work: Work, wish: Wish) -> Told:
    """Ask for the source; raises NotFound, Unauthorized, Busy and others with a text that names it."""
    try:
        return tried_again(work, lambda: _asked(work, wish.name))
    except (Refused, TimedOut) as fault:
        raise _named(fault, wish.name) from fault


def target(work: Work, wish: Wish) -> Told | None:
    """Ask for the target; None where the registry has none, or does not let it be read before it is pushed."""
    try:
        return tried_again(work, lambda: _asked(work, wish.to))
    except (Refused, TimedOut) as fault:
        if isinstance(fault, NoSuchOperation):
            raise
        if outcome(fault, wish.to) == "notFound" or _MAY_BE_PUSHED in fault.message:
            return None
        raise _named(fault, wish.to) from fault


def has(work: Work, reference: str) -> bool:
    """Whether a registry has a reference; what cannot be asked counts as missing."""
    try:
        return bool(_asked(work, reference))
    except (Refused, TimedOut):
        return False


def _asked(work: Work, reference: str) -> Told:
    fields = {"name": reference}
    reply = work.engine.get(_PATH, fields, headers=(RegistryAuth("name"),), timeout="slow")
    return reply.read(_told)


def _told(answer: Mapping[str, Any]) -> Told:
    digest = answer["Descriptor"]["digest"]
    if not isinstance(digest, str) or not is_digest(digest):
        raise ValueError("no digest")
    platforms = [_platform(one) for one in (answer.get("Platforms") or ())[:_MOST_PLATFORMS]]
    # Attestations of BuildKit stand among the platforms as unknown/unknown.
    return Told(digest, tuple(dict.fromkeys(one for one in platforms if one)))


def _platform(told: Mapping[str, Any]) -> str:
    parts = [told.get(part) for part in ("os", "architecture", "variant")]
    if parts[0] in (None, "", "unknown") or not parts[1]:
        return ""
    return "/".join(str(part)[:32].lower() for part in parts if part)


def _named(fault: EngineError, reference: str) -> EngineError:
    meaning = outcome(fault, reference)
    if isinstance(fault, NoSuchOperation):
        return fault
    kind = _KINDS.get(meaning, type(fault))
    text = reference_fault(reference, meaning, fault).text
    return kind(text, status=fault.status, method=fault.method, path=fault.path, hint=fault.hint)
