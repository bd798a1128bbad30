"""A wish, a container and its image, compared: all differences that count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.engine.expected import expected_form
from lib.engine.text import parsed
from lib.job.comparison import RECREATE, Difference, difference
from lib.job.container.differences import differences, without
from lib.job.container.endpoints import named_in, of_modes, of_networks
from lib.job.container.wish import Wish
from lib.job.image import Image, look_for
from lib.job.replacement.names import Part, look
from lib.job.users import tagged
from lib.job.work import Work


@dataclass(frozen=True)
class Compared:
    """`all` are the differences that are not ignored."""

    all: list[Difference]

    def of(self, *effects: str) -> list[Difference]:
        """Return those with some of the effects."""
        return [one for one in self.all if one["effect"] in effects]


def compared(work: Work, wish: Wish, there: Part, image: Image | None) -> Compared:
    """Compare a container with a wish; `image` is what its reference means now, None for no matter."""
    own = image if image is not None and image.id == there.told.get("Image") else None
    own = own or look_for(work, str(there.told.get("Image") or ""))
    ids = {}
    with expected_form():
        config = dict(((own or image or Image("")).inspected or {}).get("Config") or {})
        names = named_in(wish.body.get("HostConfig") or {}, there.told)
    for name in names:
        other = look(work, name)
        ids[name] = other.id if other else name
    with expected_form():
        found = [
            *_of_image(work, there, image, strict=wish.strict),
            *differences(wish.body, there.told, config, strict=wish.strict),
            *of_modes(wish.body.get("HostConfig") or {}, there.told, ids, strict=wish.strict),
            *of_networks(
                str((wish.body.get("HostConfig") or {}).get("NetworkMode") or ""),
                wish.networks,
                there.told,
                strict=wish.strict,
            ),
        ]
    return Compared(without(found, [str(one) for one in parsed(work.fields.get("ignore") or [], "ignore")]))


def _of_image(work: Work, there: Part, image: Image | None, *, strict: bool) -> list[Difference]:
    if image is None:
        return []
    before: dict[str, Any] = {
        "reference": str(there.told["Config"].get("Image") or ""),
        "id": str(there.told.get("Image") or ""),
    }
    same_name = tagged(before["reference"]) == tagged(image.reference)
    if image.id != before["id"]:
        if same_name and work.fields.get("imageChange") == "ignore":
            return []
        after = {"reference": image.reference, "id": image.id}
        return [difference("Image", before, after, RECREATE)]
    if strict and not same_name:
        return [difference("Image.reference", before["reference"], image.reference, RECREATE)]
    return []
