"""The way through the engine: pull the source by its digest, name it as the target, push that name, look what came."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lib.engine.answer.progress import Progress, Record
from lib.engine.errors import (
    NoSuchOperation,
    NotFound,
    OutcomeUnknown,
    StreamCut,
    StreamFailed,
)
from lib.engine.request.query import platform_json
from lib.engine.request.registry_auth import RegistryAuth
from lib.engine.version import Version
from lib.job.errors import NotReached
from lib.job.image import Image, fetched, look_for
from lib.job.mirror.here import keeps_index
from lib.job.mirror.hiccups import tried_again
from lib.job.mirror.lost import Lost
from lib.job.mirror.registry import Told, target
from lib.job.mirror.wish import Wish, fits, is_digest
from lib.job.transfer import heard
from lib.job.waiting import TimeIsUp
from lib.job.work import Work
from lib.job.writes import sent

TAG = ("POST", "/images/{+name}/tag")
PUSH = ("POST", "/images/{+name}/push")
_PUSHES_PLATFORM = Version(1, 46)
_SHOWN = 12  # platforms in a hint


@dataclass(frozen=True, slots=True)
class Pushed:
    """What the engine told of a push; `index` is what it has in place of the manifest of one platform that it sent."""

    digest: str = ""
    bytes: int = 0
    index: str = ""


@dataclass(slots=True)
class _Push:
    progress: Progress = field(default_factory=Progress)
    index: str = ""

    def feed(self, record: Record) -> None:
        self.progress.feed(record)
        aux = record.get("aux")
        index = aux.get("originalIndex") if isinstance(aux, dict) else None
        if isinstance(index, dict) and isinstance(index.get("digest"), str):
            self.index = index["digest"]

    def result(self) -> Pushed:
        result = self.progress.result()
        digest = result.digests[-1] if result.digests else ""
        return Pushed(digest if is_digest(digest) else "", result.bytes, self.index)


def pulled(work: Work, wish: Wish, told: Told, platform: str) -> Image:
    """Pull the source and return it, without an id in a dry run. Raises NotFound where it is not for the platform."""
    pinned = wish.pinned(told.digest)
    try:
        image = fetched(
            work, pinned, f"it is what {wish.name} means, and the engine does not have it", platform
        )
    except (StreamFailed, NotFound) as fault:
        if told.platforms and not isinstance(fault, NoSuchOperation):
            has = f"It is there for {', '.join(told.platforms[:_SHOWN])}; platform can name one of them"
            fault.hint = f"{fault.hint}. {has}" if fault.hint else has
        raise
    if platform and image.id and not fits(image.platform.lower(), platform):
        raise NotFound(f"{wish.name} came for {image.platform}, not for {platform}")
    return image


def tagged(work: Work, wish: Wish, image: Image) -> None:
    """Let the target's name mean the image; raises Lost where the image is gone."""
    if not work.will("tag", "image", wish.to, f"a push sends {wish.name} under this name"):
        return
    fields = {"name": image.id, "repo": wish.to_repository, "tag": wish.to_tag}
    try:
        sent(
            lambda: work.engine.post(TAG[1], fields, query=("repo", "tag")), lambda: _means(work, wish, image)
        )
    except NoSuchOperation:
        raise
    except NotFound as gone:
        raise Lost from gone


def pushed(work: Work, wish: Wish, told: Told, image: Image, platform: str) -> Pushed:
    """Push the target. Raises Lost where its name is gone or means another image, TimeIsUp at the step's deadline.

    A push may always be sent again: layers that came stay. So one whose end is unknown is a StreamCut.
    """
    if not work.will("push", "image", wish.to, f"its registry shall have {wish.name}"):
        return Pushed()
    fields: dict[str, Any] = {"name": wish.to_repository, "tag": wish.to_tag}
    query: tuple[Any, ...] = ("tag",)
    if platform and keeps_index(image, told) and work.engine.version >= _PUSHES_PLATFORM:
        fields["platform"], query = platform, ("tag", platform_json())
    try:
        result = tried_again(work, lambda: _push(work, wish, image, fields, query))
    except OutcomeUnknown as cut:
        raise StreamCut(f"Pushing {wish.to} broke off: {cut.message}", hint="Send it again") from cut
    if not _was(work, wish, told, image, result):
        raise Lost
    return result


def arrived(work: Work, wish: Wish, push: Pushed) -> str:
    """Return the digest that the target means in its registry now; raises NotReached if it is not the pushed one."""
    there = target(work, wish)
    if there is None and push.digest:
        return push.digest  # a login may push what it must not read
    if there is None or (push.digest and there.digest != push.digest):
        means = f"means {there.digest}" if there else "is not there"
        raise NotReached(
            f"{wish.to} was pushed as {push.digest or 'an unknown digest'}, and {means}",
            hint="Something else pushes this name, or the registry shows an older answer; send it again",
        )
    return there.digest


def _push(work: Work, wish: Wish, image: Image, fields: dict[str, Any], query: tuple[Any, ...]) -> Pushed:
    try:
        return _streamed(work, wish, fields, query)
    except (StreamFailed, NotFound) as fault:
        if isinstance(fault, NoSuchOperation) or _means(work, wish, image):
            raise
        raise Lost from fault


def _streamed(work: Work, wish: Wish, fields: dict[str, Any], query: tuple[Any, ...]) -> Pushed:
    push, login = _Push(), RegistryAuth("name", always=True)
    with work.engine.progress(PUSH[1], fields, query=query, headers=(login,)) as lines:
        heard(work, lines, push.feed, TimeIsUp(f"{wish.to} is still being pushed"))
    return push.result()


def _means(work: Work, wish: Wish, image: Image) -> bool:
    there = look_for(work, wish.to)
    return there is not None and there.id == image.id


def _was(work: Work, wish: Wish, told: Told, image: Image, result: Pushed) -> bool:
    """Whether the image itself was pushed, and not another one that the name came to mean in between."""
    if not result.digest or result.digest == told.digest:
        return True
    if keeps_index(image, told):
        return not result.index or result.index == told.digest
    # The engine notes under which digest it pushed which image; another run may have taken the note away.
    noted = look_for(work, f"{wish.to_repository}@{result.digest}")
    return noted is None or noted.id == image.id
