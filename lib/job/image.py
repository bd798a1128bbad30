"""The image that a job needs: whether the engine has it, whether the registry has another one, and fetching it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.action.output.live import teller
from lib.engine.answer.progress import Progress
from lib.engine.errors import (
    NoSuchOperation,
    NotFound,
    OutcomeUnknown,
    Refused,
    StreamCut,
    TimedOut,
)
from lib.engine.request.query import platform_json
from lib.engine.request.registry_auth import RegistryAuth
from lib.engine.version import Version
from lib.job.transfer import heard
from lib.job.waiting import TimeIsUp
from lib.job.work import Work
from lib.trigger.images.registry_refusals import outcome, reference_fault

MISSING, NEWER, ALWAYS, NEVER = "missing", "newer", "always", "never"
PULL = ("POST", "/images/create")
"""The write that `ensure_image` may make, for `Work.permit`."""
_ASKED_BY_PLATFORM = Version(1, 49)
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
    def platform(self) -> str:
        """What it runs on, such as linux/arm64/v8; "" where it is absent."""
        told = self.inspected or {}
        return "/".join(str(told[part]) for part in ("Os", "Architecture", "Variant") if told.get(part))

    def fits(self, platform: str) -> bool:
        """Whether it is for a platform such as linux/arm64, as far as it tells; "" fits all."""
        pairs = zip(platform.lower().split("/"), self.platform.lower().split("/"), strict=False)
        return not platform or all(there in ("", wanted) for wanted, there in pairs)

    @property
    def output(self) -> dict[str, Any]:
        """Return what a message says of it."""
        return {"reference": self.reference, "id": self.id, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Choice:
    """The image that is `there`, and why another one is to be fetched: `reason` is "" where none is."""

    there: Image | None
    reason: str = ""
    not_checked: bool = False
    """Whether the registry was to be asked, and did not answer."""


def ensure_image(
    work: Work, reference: str, pull: str = MISSING, *, platform: str = "", keep: bool = True
) -> Image:
    """Return the image of a reference, fetched where `pull` says so: missing, newer, always or never.

    `keep`: where only the registry's answer is missing, the image that is there is used, with a warning. Broken off,
    it is called again: layers that came stay. Raises NotFound where it is not there and is not to be fetched,
    StreamFailed and the errors of calls where fetching fails, TimeIsUp at the step's deadline. In a dry run the image
    that is not there has no id.
    """
    choice = choose(work, reference, pull, platform=platform, keep=keep)
    if choice.there is not None and not choice.reason:
        return choice.there
    return fetched(work, reference, choice.reason, platform)


def choose(
    work: Work, reference: str, pull: str = MISSING, *, platform: str = "", keep: bool = True
) -> Choice:
    """Decide what `ensure_image` does, by reads alone; raises NotFound for what may not, or cannot, be fetched."""
    there = look_for(work, reference, platform)
    fits = there is not None and there.fits(platform)
    if not fits and (pull == NEVER or is_id(reference)):
        text = f"The engine has no image {reference}" + (f" for {platform}" if there else "")
        raise NotFound(text, hint=None if is_id(reference) else "See pull")
    if there is None:
        return Choice(None, "The engine does not have it")
    if not fits:
        return Choice(there, f"The engine has it for {there.platform}, not for {platform}")
    # What a digest names cannot be another one, whatever the registry says.
    if pull in (MISSING, NEVER) or is_id(reference) or "@" in reference:
        return Choice(there)
    if pull == ALWAYS:
        return Choice(there, "It is fetched always")
    return _newer(work, there, keep=keep)


def _newer(work: Work, there: Image, *, keep: bool) -> Choice:
    reference = there.reference
    try:
        wanted = digest_in_registry(work, reference)
    except (Refused, TimedOut) as fault:
        if not keep:
            raise
        told = reference_fault(reference, outcome(fault, reference), fault).text
        work.warn(f"Whether there is a newer {reference} could not be asked: {told}")
        return Choice(there, not_checked=True)
    if any(one.endswith(f"@{wanted}") for one in there.repo_digests):
        return Choice(there)
    return Choice(there, f"The registry has another one: {wanted}")


def look_for(work: Work, reference: str, platform: str = "") -> Image | None:
    """Return the image that the engine has under a reference or id, None where it has none.

    An engine that keeps an image for several platforms tells of the one that is asked for, if it is new enough.
    """
    query = (platform_json(),) if platform and work.engine.version >= _ASKED_BY_PLATFORM else ()
    fields = {"name": reference, "platform": platform}
    try:
        reply = work.engine.get("/images/{+name}/json", fields, query=query)
    except NoSuchOperation:
        raise
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


def fetched(work: Work, reference: str, reason: str, platform: str = "") -> Image:
    """Pull an image and return it; in a dry run what is there, without an id where nothing is."""
    work.permit(PULL)
    if not work.will("pull", "image", reference, reason):
        return look_for(work, reference, platform) or Image(reference)
    fields: dict[str, Any] = {"fromImage": reference, "platform": platform}
    if "@" not in reference and ":" not in reference.rpartition("/")[2]:
        fields["tag"] = "latest"  # without one an engine fetches all tags
    try:
        _pull(work, reference, fields)
    except OutcomeUnknown as cut:
        # A pull may always be sent again: what has come stays, and the rest follows.
        raise StreamCut(f"Fetching {reference} broke off: {cut.message}", hint="Send it again") from cut
    if (image := look_for(work, reference, platform)) is None:
        raise NotFound(f"The engine has fetched {reference}, and has it no more")
    return image


def _pull(work: Work, reference: str, fields: Mapping[str, Any]) -> None:
    query, progress = ("fromImage", "tag", "platform"), Progress()
    progress.tell = teller(work.context)
    with work.engine.progress(PULL[1], fields, query=query, headers=(RegistryAuth("fromImage"),)) as lines:
        late = TimeIsUp(f"{reference} is still being fetched", image=reference)
        heard(work, lines, progress.feed, late)


def _image(reference: str, told: Mapping[str, Any]) -> Image:
    digests = tuple(str(one) for one in told.get("RepoDigests") or ())
    return Image(str(reference), str(told["Id"]), _digest(reference, digests), digests, dict(told))


def _digest(reference: str, digests: tuple[str, ...]) -> str:
    """Return the digest under the reference's own repository, or the first one that there is."""
    name, _, tag = reference.partition("@")[0].rpartition(":")
    repository = name if name and "/" not in tag else reference.partition("@")[0]
    own = [one for one in digests if one.partition("@")[0].endswith(repository)]
    return (own or [*digests, ""])[0].partition("@")[2]
