"""An image that shall be there: fetched if it is missing, or if its registry has another one by now.

| pull | when it is there | when it is missing |
|---|---|---|
| missing | is taken | is pulled |
| newer | the registry is asked for its digest, a few KB; another one is pulled | is pulled |
| always | is pulled, which changes nothing where the registry has the same | is pulled |
| never | is taken | NotFound |

What is named by a digest or an id cannot be newer, and an id is never pulled. A pull that breaks off leaves its layers
with the engine, so the next try goes on with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine import Version
from lib.engine.answer.progress import Progress
from lib.engine.errors import (
    LimitReached,
    NoSuchOperation,
    NotFound,
    OutcomeUnknown,
    Refused,
    StreamCut,
    TimedOut,
)
from lib.engine.request.query import platform_json
from lib.engine.request.registry_auth import RegistryAuth
from lib.job.errors import Interrupted
from lib.job.waiting import TimeIsUp
from lib.job.work import Work
from lib.trigger.images.reference import split
from lib.trigger.images.registry_refusals import outcome, reference_fault

MISSING, NEWER, ALWAYS, NEVER = "missing", "newer", "always", "never"
_INSPECT_BY_PLATFORM = Version(1, 49)
_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}|sha256:[0-9a-f]{1,64}")
_IDLE_SECONDS = 900.0  # silence while a large layer is unpacked is normal


@dataclass(frozen=True, slots=True)
class Image:
    """An image that the engine has; `digests` are those under which registries know it, with names."""

    id: str
    digests: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    platform: str = ""
    size: int = 0

    @classmethod
    def of(cls, inspected: Mapping[str, Any]) -> Image:
        """Read an answer of ImageInspect."""
        parts = (inspected.get(name) for name in ("Os", "Architecture", "Variant"))
        return cls(
            id=str(inspected["Id"]),
            digests=tuple(map(str, inspected.get("RepoDigests") or ())),
            tags=tuple(map(str, inspected.get("RepoTags") or ())),
            platform="/".join(str(part) for part in parts if part),
            size=int(inspected.get("Size") or 0),
        )

    def fits(self, platform: str) -> bool:
        """Whether it is for a platform such as linux/arm64; "" fits all."""
        wanted = platform.lower().split("/") if platform else []
        return self.platform.lower().split("/")[: len(wanted)] == wanted

    def digest(self, reference: str) -> str:
        """Return the digest under which the repository of a reference has it, "" where none is known."""
        name = split(reference.partition("@")[0])[0]
        known = [entry.partition("@") for entry in self.digests]
        same = [digest for repository, _, digest in known if repository == name]
        return (same or [digest for _, _, digest in known] or [""])[0]


@dataclass(frozen=True, slots=True)
class Ensured:
    """What became of a reference; `image` is None only in a dry run, for one that would be pulled."""

    reference: str
    image: Image | None
    before: Image | None
    """What the engine had under this name before."""
    pulled: bool = False
    not_checked: str = ""
    """Why the registry could not be asked; "" where it was, or was not to be."""
    wanted: str = ""
    """The digest that the registry has, as far as it was asked."""

    @property
    def changed(self) -> bool:
        """Whether the name means another image than before."""
        return self.image is not None and (self.before is None or self.before.id != self.image.id)


def ensure_image(
    work: Work, reference: str, pull: str = MISSING, *, platform: str = "", keep: bool = True
) -> Ensured:
    """Have an image on the engine; `pull` is one of the words above.

    `keep`: an image that is there is taken where its registry cannot be asked, with a warning. Raises NotFound,
    what the registry's refusal is (Refused, StreamFailed), and TimeIsUp where a pull takes longer than the step has.
    """
    before = look_at_image(work, reference, platform)
    if before is not None and not before.fits(platform):
        reason = f"it is there for {before.platform}, not for {platform}"
    elif before is None:
        reason = "it is missing"
    elif pull in (MISSING, NEVER) or (pull == NEWER and _is_fixed(reference)) or _ID.fullmatch(reference):
        return Ensured(reference, before, before)
    elif pull == NEWER:
        wanted, not_checked = _asked(work, reference, keep=keep)
        if not_checked or any(entry.partition("@")[2] == wanted for entry in before.digests):
            return Ensured(reference, before, before, not_checked=not_checked, wanted=wanted)
        return _pulled(work, reference, platform, before, f"its registry has {wanted}", wanted)
    else:
        reason = "it is pulled always"
    if pull == NEVER or _ID.fullmatch(reference):
        raise NotFound(
            f"The engine has no image {reference}" if before is None else f"{reference}: {reason}",
            status=404,
            hint="Pull or load it first" if pull == NEVER else "An id cannot be pulled: name the image",
        )
    return _pulled(work, reference, platform, before, reason)


def look_at_image(work: Work, reference: str, platform: str = "") -> Image | None:
    """Return what the engine has under a reference or id, None where it has nothing."""
    query = (platform_json(),) if platform and work.engine.version >= _INSPECT_BY_PLATFORM else ()
    fields = {"name": reference, "platform": platform}
    try:
        return work.engine.get("/images/{+name}/json", fields, query=query).read(Image.of)
    except NoSuchOperation:
        raise
    except NotFound:
        return None


def _is_fixed(reference: str) -> bool:
    return "@" in reference


def _asked(work: Work, reference: str, *, keep: bool) -> tuple[str, str]:
    """Return the digest that the registry has, or why that is not known."""
    fields = {"name": reference}
    try:
        answer = work.engine.get(
            "/distribution/{+name}/json", fields, headers=(RegistryAuth("name"),), timeout="slow"
        )
        return answer.read(lambda told: str(told["Descriptor"]["digest"])), ""
    except (Refused, TimedOut) as error:
        if not keep:
            raise
        told = reference_fault(reference, outcome(error, reference), error).text
        work.warn(f"{told}. The image that is there was kept")
        return "", told


def _pulled(
    work: Work, reference: str, platform: str, before: Image | None, reason: str, wanted: str = ""
) -> Ensured:
    work.permit(("POST", "/images/create"))
    if not work.will("pull", "image", reference, reason):
        return Ensured(reference, before, before, pulled=True, wanted=wanted)
    name, tag = split(reference)
    fields = {"fromImage": reference, "platform": platform}
    if not _is_fixed(reference) and tag is None:
        fields["tag"] = "latest"  # without it all tags would come
    _pull(work, fields, name)
    image = look_at_image(work, reference, platform)
    if image is None:
        raise NotFound(f"{reference} was pulled, and is not there", hint="Something else removed it at once")
    return Ensured(reference, image, before, pulled=True, wanted=wanted)


def _pull(work: Work, fields: Mapping[str, Any], name: str) -> None:
    left = max(work.deadline.left, 1.0)
    progress = Progress()
    try:
        with work.engine.progress(
            "/images/create",
            fields,
            query=("fromImage", "tag", "platform"),
            headers=(RegistryAuth("fromImage"),),
        ) as lines:
            lines.pace(_IDLE_SECONDS, left)
            for record in lines:
                progress.feed(record)
                if work.context.cancelled.is_set():
                    raise Interrupted
    except LimitReached as late:
        raise TimeIsUp(
            f"{name} is not pulled yet after {work.deadline.spent:.0f} s",
            hint="Layers that are there stay with the engine. Raise maxSeconds for large ones",
            bytes=progress.result().bytes,
        ) from late
    except OutcomeUnknown as cut:
        # A pull may always be tried again: what has come stays, and the rest is fetched.
        raise StreamCut(f"The pull of {name} broke off: {cut.message}", hint="Try again") from cut
