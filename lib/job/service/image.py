"""The image of a service: a tag is bound to the digest that it has now, for the same tag makes no new tasks."""

from __future__ import annotations

from lib.engine.errors import BadInput, EngineError
from lib.job.image import digest_in_registry
from lib.job.work import Work


def whole_reference(reference: str) -> str:
    """Return a reference with the tag latest if it has neither tag nor digest."""
    bare = "@" in reference or ":" in reference.rpartition("/")[2]
    return reference if bare else f"{reference}:latest"


def bound(work: Work, reference: str, *, resolve: bool) -> str:
    """Return `repository:tag@digest` as the registry has it; with a warning the tag alone where it cannot be asked."""
    reference = reference.strip()
    if not reference or any(character.isspace() for character in reference):
        raise BadInput("image is no reference", field="image", hint="Write it as in shop/web:1.5")
    reference = whole_reference(reference)
    if "@" in reference or not resolve:
        return reference
    try:
        return f"{reference}@{digest_in_registry(work, reference)}"
    except EngineError as fault:
        work.warn(f"Which image {reference} is now could not be asked: {fault.message}")
        return reference


def chosen(present: str, wanted: str) -> str:
    """Return the image to put into a spec: a tag without a digest does not replace the same tag with one."""
    same = "@" not in wanted and whole_reference(present.partition("@")[0]) == wanted
    return present if same else wanted
