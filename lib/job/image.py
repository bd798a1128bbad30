"""The image that a job needs: whether the engine has it, whether the registry has another one, and fetching it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.answer.progress import Progress
from lib.engine.errors import EngineError, LimitReached, NotFound
from lib.engine.request.registry_auth import RegistryAuth
from lib.job.errors import Interrupted
from lib.job.waiting import TimeIsUp
from lib.job.work import Work

MISSING, NEWER, NEVER = "missing", "newer", "never"
PULL = ("POST", "/images/create")
"""The write that `ensure_image` may make, for `Work.permit`."""
_SILENCE = 900.0
"""Seconds in which a registry may send nothing."""
_ID = re.compile(r"sha256:[0-9a-f]{1,64}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Image:
    """An image as the engine has it; `digest` is "" where no registry is known to have it, `id` where it is absent."""

    reference: str
    id: str = ""
    digest: str = ""
    repo_digests: tuple[str, ...] = ()
    inspected: Mapping[str, Any] | None = None

    @property
    def output(self) -> dict[str, Any]:
        """Return what a message says of it."""
        return {"reference": self.reference, "id": self.id, "digest": self.digest}


def ensure_image(
    work: Work, reference: str, pull: str = MISSING, *, platform: str = "", keep: bool = True
) -> Image:
    """Return the image of a reference, fetched where `pull` says so: missing, newer or never.

    `keep`: where only the registry's answer is missing, the image that is there is used, with a warning. Broken off,
    it is called again: layers that came stay. Raises NotFound where it is not there and is not to be fetched,
    StreamFailed and the errors of calls where fetching fails, TimeIsUp at the step's deadline. In a dry run the image
    that is not there has no id.
    """
    there = look_for(work, reference)
    if there is None and (pull == NEVER or is_id(reference)):
        raise NotFound(f"The engine has no image {reference}", hint=None if is_id(reference) else "See pull")
    if there is None:
        return _fetched(work, reference, "The engine does not have it", platform)
    if pull != NEWER or is_id(reference):
        return there
    try:
        wanted = digest_in_registry(work, reference)
    except EngineError as fault:
        if not keep:
            raise
        work.warn(f"Whether there is a newer {reference} could not be asked: {fault.message}")
        return there
    if any(one.endswith(f"@{wanted}") for one in there.repo_digests):
        return there
    return _fetched(work, reference, f"The registry has another one: {wanted}", platform)


def look_for(work: Work, reference: str) -> Image | None:
    """Return the image that the engine has under a reference or id, None where it has none."""
    try:
        reply = work.engine.get("/images/{+name}/json", {"name": reference})
    except NotFound:
        return None
    return reply.read(lambda told: _image(reference, told))


def digest_in_registry(work: Work, reference: str) -> str:
    """Return the digest that the registry has for a reference; the engine asks it, with the credential's login."""
    path = "/distribution/{+name}/json"
    reply = work.engine.get(path, {"name": reference}, headers=(RegistryAuth("name"),), timeout="slow")
    return reply.read(lambda told: str(told["Descriptor"]["digest"]))


def is_id(reference: str) -> bool:
    """Whether a text is the id of an image: no registry knows it."""
    return _ID.fullmatch(reference) is not None


def _fetched(work: Work, reference: str, reason: str, platform: str) -> Image:
    work.permit(PULL)
    if not work.will("pull", "image", reference, reason):
        return look_for(work, reference) or Image(reference)
    fields: dict[str, Any] = {"fromImage": reference, "platform": platform}
    if "@" not in reference and ":" not in reference.rpartition("/")[2]:
        fields["tag"] = "latest"  # without one an engine fetches all tags
    query, progress = ("fromImage", "tag", "platform"), Progress()
    with work.engine.progress(PULL[1], fields, query=query, headers=(RegistryAuth("fromImage"),)) as lines:
        lines.pace(_SILENCE, work.deadline.left)
        try:
            for record in lines:
                if work.context.cancelled.is_set():
                    raise Interrupted
                progress.feed(record)
        except LimitReached as limit:
            if limit.limit != "maxSeconds":
                raise
            raise TimeIsUp(f"{reference} is still being fetched", image=reference) from None
    if (image := look_for(work, reference)) is None:
        raise NotFound(f"The engine has fetched {reference}, and has it no more")
    return image


def _image(reference: str, told: Mapping[str, Any]) -> Image:
    digests = tuple(str(one) for one in told.get("RepoDigests") or ())
    return Image(str(reference), str(told["Id"]), _digest(reference, digests), digests, dict(told))


def _digest(reference: str, digests: tuple[str, ...]) -> str:
    """Return the digest under the reference's own repository, or the first one that there is."""
    name, _, tag = reference.partition("@")[0].rpartition(":")
    repository = name if name and "/" not in tag else reference.partition("@")[0]
    own = [one for one in digests if one.partition("@")[0].endswith(repository)]
    return (own or [*digests, ""])[0].partition("@")[2]
