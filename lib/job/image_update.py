"""An image that a reference shall mean: fetched by a policy, with what becomes of the one that it meant before."""

from __future__ import annotations

from typing import Any

from lib.engine.errors import Conflict
from lib.engine.expected import expected_form
from lib.job.image import MISSING, PULL, Image, choose, fetched, is_id, look_for
from lib.job.users import outdated, users_of_image
from lib.job.work import Work
from lib.job.writes import removed

_PATH = "/images/{+name}"


def ensured_image(work: Work) -> dict[str, Any]:
    """Return the output of EnsureImage once the engine has the image.

    Raises NotFound where it may not or cannot be fetched, StreamFailed where the registry has none or refuses.
    """
    fields = work.fields
    reference, platform = str(fields["reference"]).strip(), str(fields.get("platform") or "")
    policy, keep = str(fields.get("policy") or MISSING), fields.get("whenRegistryFails") != "fail"
    choice = choose(work, reference, policy, platform=platform, keep=keep)
    before, image, old = choice.there, choice.there, None
    if pulled := before is None or bool(choice.reason):
        old = _removable(work, before) if fields.get("removeOld") else None
        work.permit(PULL, *([("DELETE", _PATH)] if old else []))
        image = fetched(work, reference, choice.reason, platform)
    image = image or Image(reference)
    changed = image.id != (before.id if before else "")
    # A dry run cannot know what comes of a pull that is always made; one for a reason brings another image.
    expected = work.settings.dry_run and pulled and policy != "always"
    if old and (changed or expected):
        _remove(work, old)
    return {
        "action": "pulled" if pulled else "none",
        "reached": True,
        "changed": changed,
        **image.output,
        "digestBefore": before.digest if before else "",
        "platform": image.platform,
        "size": _size(image),
        "pulled": pulled and not work.settings.dry_run,
        "notChecked": choice.not_checked,
        "usedBy": [] if is_id(reference) else outdated(work.engine, reference, "" if expected else image.id),
    }


@expected_form()
def _size(image: Image) -> int:
    return int((image.inspected or {}).get("Size") or 0)


@expected_form()
def _names(image: Image) -> list[str]:
    return list((image.inspected or {}).get("RepoTags") or ())


def _removable(work: Work, before: Image | None) -> Image | None:
    """Return the image that is there if nothing but this reference names it, and no container was made from it."""
    if before is None or len(_names(before)) > 1:
        return None
    return None if users_of_image(work.engine, before.id) else before


def _remove(work: Work, old: Image) -> None:
    reason = f"{old.reference} means another image now, and nothing uses it"
    if not work.will("remove", "image", old.id, reason):
        return

    def is_gone() -> bool:
        return look_for(work, old.id) is None

    try:
        removed(lambda: work.engine.delete(_PATH, {"name": old.id}, timeout="slow"), is_gone)
    except Conflict as refusal:
        work.without_effect()
        work.warn(f"The old image {old.id} stays: {refusal.message}")
