"""What was to be fetched, sent or named of images: ids, digests, and events for what only passes by."""

from __future__ import annotations

from lib.engine.errors import EngineError, NoAnswer, NotFound, Unreachable
from lib.job.image import Image, digest_in_registry, look_for
from lib.job.settle.evidence import FORGOTTEN, Event, Evidence, evidence_since
from lib.job.settle.image_making import imported, reference_of, the
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import ASK, REPEAT, Verdict, at, happened, not_happened, unknown
from lib.job.work import Work


def tagged(work: Work, tried: Tried) -> Verdict:
    """ImageTag: both names mean one image, or an event tells that they did."""
    source, target = tried.needed("name"), reference_of(tried.needed("repo"), tried.text("tag"))
    image, tag = look_for(work, source), look_for(work, target)
    if image is not None and tag is not None and tag.id == image.id:
        return happened(f"{target} is {image.id}, as {source} is", the(tag))
    events = evidence_since(work.engine, tried.since)
    found = events.of("image", "tag", lambda event: event.says("name") == target)
    if found is not None:
        text = f"{target} was made a name of {found.id} at {at(found.time)}; names have been moved since"
        return happened(text, the(tag) if tag else {}, then=ASK)
    if image is None:
        return unknown(f"There is no image {source} any more, or it is on another engine")
    return not_happened(f"{target} is not the image of {source}", the(image))


def pulled(work: Work, tried: Tried) -> Verdict:
    """ImageCreate: an event tells of it, or the engine has what the registry has. A pull may always be sent again."""
    if not (source := tried.text("fromImage")):
        return imported(work, tried)
    tag = tried.text("tag")
    reference = f"{source}@{tag}" if tag.startswith("sha256:") else reference_of(source, tag)
    image = look_for(work, reference)
    if image is None:
        return not_happened(f"The engine has no image {reference}")
    if not image.fits(platform := tried.text("platform")):
        return not_happened(f"The engine has {reference}, and not for {platform}", the(image))
    events = evidence_since(work.engine, tried.since)
    if (found := _of(events, "pull", reference)) is not None:
        return happened(f"An event of {at(found.time)} tells of it (pull)", the(image))
    return _as_in_registry(image, reference.partition("@")[2] or _in_registry(work, reference))


def _as_in_registry(image: Image, wanted: str) -> Verdict:
    reference = image.reference
    if not wanted:
        proof = f"{reference} is there; whether it is that of its registry is not known"
        return unknown(proof, the(image), then=REPEAT)
    if not _has(image, wanted):
        return not_happened(f"{reference} is not the registry's {wanted}", the(image))
    return happened(f"{reference} is {wanted}, as in its registry", the(image))


def pushed(work: Work, tried: Tried) -> Verdict:
    """ImagePush: an event tells of it, or the registry has what the engine has. A push may always be sent again."""
    name, tag = tried.needed("name"), tried.text("tag")
    reference = reference_of(name, tag)
    events = evidence_since(work.engine, tried.since)
    found = _of(events, "push", reference, *(() if reference == name or tag else (name,)))
    image = look_for(work, reference)
    if found is not None:
        text = f"An event of {at(found.time)} tells of it (push)"
        return happened(text, the(image) if image else {})
    if reference != name and not tag:
        return unknown(f"All tags of {name} were to be sent: there is no one image to look at", then=REPEAT)
    if image is None:
        return unknown(f"There is no image {reference} any more, or it is on another engine")
    return _compared(work, image)


def _compared(work: Work, image: Image) -> Verdict:
    reference = image.reference
    try:
        digest = digest_in_registry(work, reference)
    except (Unreachable, NoAnswer):
        raise
    except NotFound:
        return not_happened(f"The registry has no {reference}", the(image))
    except EngineError as fault:
        text = f"The registry does not tell its digest of {reference} ({type(fault).__name__})"
        return unknown(text, the(image), then=REPEAT)
    if _has(image, digest):
        return happened(f"The registry has {digest}, as the engine has", the(image))
    # Many an engine learns the digest of an image only at the end of a push.
    text = f"The registry has {digest}, which the engine does not know as one of {reference}"
    return unknown(text, the(image), then=REPEAT)


def loaded(work: Work, tried: Tried) -> Verdict:
    """ImageLoad: an event tells of an archive, and not of which. The same archive may always be loaded again."""
    events = evidence_since(work.engine, tried.since)
    found = events.of("image", "load")
    if found is not None:
        text = f"An archive was loaded at {at(found.time)}; whether it was this one is not told"
        return unknown(text, then=REPEAT)
    if events.complete:
        return not_happened("The engine has no event of it since then (load)")
    return unknown(f"No event tells of it (load), and {FORGOTTEN}", then=REPEAT)


def _of(events: Evidence, action: str, *references: str) -> Event | None:
    """Return an event of an image's name; engines leave out the host of Docker Hub, and a tag where none was asked."""

    def fits(event: Event) -> bool:
        return bool(event.id) and any(one == event.id or one.endswith(f"/{event.id}") for one in references)

    return events.of("image", action, fits)


def _in_registry(work: Work, reference: str) -> str:
    try:
        return digest_in_registry(work, reference)
    except (Unreachable, NoAnswer):
        raise
    except EngineError:
        return ""


def _has(image: Image, digest: str) -> bool:
    return image.id == digest or any(one.endswith(f"@{digest}") for one in image.repo_digests)
