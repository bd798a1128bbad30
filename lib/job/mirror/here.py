"""What the engine itself has of a mirror run: the source by its digest, and something under the name of the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import Conflict
from lib.engine.expected import expected_form
from lib.engine.version import Version
from lib.job.errors import Interrupted
from lib.job.image import Image, look_for
from lib.job.mirror.registry import Told, has
from lib.job.mirror.wish import Wish, fits
from lib.job.users import named, users_of_image
from lib.job.work import Work

_ASKED_BY_PLATFORM = Version(1, 49)
_SHORT = 12  # digits of an id that a memo keeps
_ASKED = 5  # digests of one image that a registry is asked for
_MOMENT = 0.5  # seconds between two looks
_PREFIX = "sha256:"


@dataclass(frozen=True, slots=True)
class Here:
    """Both as the engine has them; `source` is None where it has to be pulled for the platform."""

    source: Image | None
    target: Image | None

    @property
    def same(self) -> bool:
        """Whether the target's name surely means the source; an engine may know it only after the pull."""
        if self.target is None:
            return False
        return self.source is not None and self.source.id == self.target.id


def look(work: Work, wish: Wish, told: Told, platform: str) -> Here:
    """Look what is there. Raises Conflict where a pull would take a digest away from another platform's image."""
    pinned = wish.pinned(told.digest)
    source = look_for(work, pinned)
    if source is not None and not _is_for(work, source, pinned, platform):
        if not keeps_index(source, told):
            raise Conflict(
                f"The engine has {pinned} for {source.platform}, and can keep it for one platform only",
                hint=f"Remove it there before it is mirrored for {platform}, or use another engine",
            )
        source = None
    return Here(source, look_for(work, wish.to))


def keeps_index(image: Image, told: Told) -> bool:
    """Whether the engine keeps what a registry gives as it is (containerd image store): the digest is the id."""
    return image.id == told.digest


def guard(work: Work, wish: Wish, there: Image, wanted: Image) -> None:
    """Raise Conflict where the target's name means another image here, unless it may be moved and nothing is lost."""
    if there.id == wanted.id:
        return
    if wish.clean_up:
        users = users_of_image(work.engine, there.id)
        used = f", which {named(users)} use" if users else ""
        raise Conflict(
            f"On the engine {wish.to} means another image, {there.id}{used}",
            hint="Set cleanUp to false to let the name mean the mirrored image, or remove the name there",
        )
    own = [one for one in there.repo_digests if one.partition("@")[0] == wish.to_repository]
    if not any(has(work, one) for one in own[:_ASKED]):
        raise Conflict(
            f"On the engine {wish.to} means another image, {there.id}, which its registry does not have",
            hint="Give that one another name first, or push it: without a name it would be lost in a clean-up",
        )


def unnamed(work: Work, wish: Wish) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the shortened ids of images without a name, and of those with a digest alone in the target's repository.

    lib/job/mirror/memo.py says what for. An image that another run pulls has no name for a moment, so those without
    one are looked at twice.
    """
    nameless, pinned = _unnamed(work, wish)
    if nameless or pinned:
        if work.context.cancelled.wait(_MOMENT):
            raise Interrupted
        still = _unnamed(work, wish)
        nameless, pinned = nameless & still[0], pinned & still[1]
    return tuple(sorted(nameless)), tuple(sorted(pinned))


def _unnamed(work: Work, wish: Wish) -> tuple[set[str], set[str]]:
    listed = work.engine.get("/images/json").read(lambda told: [_names(one) for one in told])
    nameless = {identity for identity, tags, digests in listed if not tags and not digests}
    to = wish.to_repository
    return nameless, {identity for identity, tags, digests in listed if to in digests and to not in tags}


def short(identity: str) -> str:
    """Return the part of an image's id that a memo keeps."""
    return identity.removeprefix(_PREFIX)[:_SHORT]


@expected_form()
def tags_in(image: Image, repository: str) -> list[str]:
    """Return the tags that an image has in a repository; the containerd image store lists digests among them."""
    tags = (image.inspected or {}).get("RepoTags") or ()
    return [one for one in tags if "@" not in one and one.rpartition(":")[0] == repository]


def _is_for(work: Work, image: Image, pinned: str, platform: str) -> bool:
    if not platform or fits(image.platform.lower(), platform):
        return True
    if work.engine.version < _ASKED_BY_PLATFORM:
        return False
    asked = look_for(work, pinned, platform)  # an image store may have it for several
    return asked is not None and fits(asked.platform.lower(), platform)


def _names(listed: Mapping[str, Any]) -> tuple[str, list[str], list[str]]:
    """Return an image of a list as (id, repositories of its tags, repositories of its digests)."""
    tags = [one.rpartition(":")[0] for one in listed.get("RepoTags") or () if "@" not in one]
    digests = [one.partition("@")[0] for one in listed.get("RepoDigests") or ()]
    return short(str(listed["Id"])), _real(tags), _real(digests)


def _real(names: list[str]) -> list[str]:
    return [one for one in names if one != "<none>"]
