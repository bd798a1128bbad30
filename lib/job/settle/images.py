"""What was to be done to images: ids and digests, times, and events for what only passes by."""

from __future__ import annotations

from typing import Any

from lib.action.run_mark import RUN
from lib.engine.errors import EngineError, NoAnswer, NotFound, Unreachable
from lib.engine.expected import expected_form
from lib.job.image import Image, digest_in_registry, look_for
from lib.job.settle.evidence import evidence_since
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import Verdict, at, happened, not_happened, thing, unknown, when
from lib.job.work import Work


def tagged(work: Work, tried: Tried) -> Verdict:
    """ImageTag: both names mean one image."""
    source, target = tried.needed("name"), _reference(tried.needed("repo"), tried.text("tag"))
    image, tag = look_for(work, source), look_for(work, target)
    if image is None:
        return unknown(f"There is no image {source} any more")
    if tag is not None and tag.id == image.id:
        return happened(f"{target} is {image.id}, as {source} is", _thing(tag))
    return not_happened(f"{target} is not the image of {source}", _thing(image))


def pulled(work: Work, tried: Tried) -> Verdict:
    """ImageCreate: the engine has what the registry has, or an event tells of it."""
    if not (source := tried.text("fromImage")):
        return _made(work, tried, _reference(tried.text("repo"), tried.text("tag")), "import")
    tag = tried.text("tag")
    if not tag and _reference(source, "") != source:
        return unknown(
            f"All tags of {source} were to be fetched: there is no one image to look at", then="repeat"
        )
    reference = f"{source}@{tag}" if tag.startswith("sha256:") else _reference(source, tag)
    image = look_for(work, reference)
    if image is None:
        return not_happened(f"The engine has no image {reference}")
    wanted = reference.partition("@")[2] or _in_registry(work, reference)
    if wanted and not _has(image, wanted):
        return not_happened(f"{reference} is not the registry's {wanted}", _thing(image))
    if wanted:
        return happened(f"{reference} is {wanted}, as in its registry", _thing(image))
    return _by_pull(work, tried, image)


def _by_pull(work: Work, tried: Tried, image: Image) -> Verdict:
    name = image.reference
    events = evidence_since(work.engine, tried.since)
    found = events.of("image", "pull", lambda one: bool(one.id) and name.endswith(one.id))
    if found is not None:
        return happened(f"An event of {at(found.time)} tells of it (pull)", _thing(image))
    proof = f"{name} is there; whether it is that of its registry is not known"
    return unknown(proof, _thing(image), then="repeat")


def pushed(work: Work, tried: Tried) -> Verdict:
    """ImagePush: the registry has what the engine has."""
    reference = _reference(tried.needed("name"), tried.text("tag"))
    image = look_for(work, reference)
    if image is None:
        return unknown(f"There is no image {reference} any more")
    try:
        digest = digest_in_registry(work, reference)
    except (Unreachable, NoAnswer):
        raise
    except NotFound:
        return not_happened(f"The registry has no {reference}", _thing(image))
    except EngineError as fault:
        return unknown(
            f"The registry does not tell its digest of {reference} ({type(fault).__name__})", _thing(image)
        )
    if _has(image, digest):
        return happened(f"The registry has {digest}, as the engine has", _thing(image))
    return not_happened(f"The registry has {digest}, which is another image", _thing(image))


def committed(work: Work, tried: Tried) -> Verdict:
    """ImageCommit: an image of that name made since then, or an event."""
    if repo := tried.text("repo"):
        return _made(work, tried, _reference(repo, tried.text("tag")), "commit")
    events = evidence_since(work.engine, tried.since)
    source = tried.text("container")
    found = events.of(
        "container",
        "commit",
        lambda one: bool(source) and (one.id.startswith(source) or one.says("name") == source),
    )
    if found is not None:
        return happened(f"An event of {at(found.time)} tells of it (commit)")
    return _silent(events.complete, "commit")


def built(work: Work, tried: Tried) -> Verdict:
    """ImageBuild: an image of that name made or tagged since then, or the mark of the run."""
    given: Any = tried.fields.get("t")
    names = given if isinstance(given, list) else [given]
    name = next((one for one in names if isinstance(one, str) and one), "")
    if not name:
        return unknown("The build had no tag, so its image cannot be told from others")
    return _made(work, tried, _reference(name, ""), "build")


def loaded(work: Work, tried: Tried) -> Verdict:
    """ImageLoad: only an event tells of it."""
    events = evidence_since(work.engine, tried.since)
    found = events.of("image", "load")
    if found is not None:
        return happened(f"An event of {at(found.time)} tells of an archive that was loaded")
    return _silent(events.complete, "load")


@expected_form()
def _made(work: Work, tried: Tried, reference: str, action: str) -> Verdict:
    if not reference:
        return unknown(f"Without a name it cannot be told from others ({action})")
    if (image := look_for(work, reference)) is None:
        return not_happened(f"There is no image {reference}")
    labels = ((image.inspected or {}).get("Config") or {}).get("Labels") or {}
    if tried.run and labels.get(RUN) == tried.run:
        return happened(f"{reference} has the mark of the run", _thing(image))
    if (last := _last(image)) >= tried.since:
        return happened(f"{reference} was made or tagged at {at(last)}", _thing(image))
    if tried.run:
        return not_happened(
            f"{reference} is older than the call, and has not the mark of the run", _thing(image)
        )
    proof = f"{reference} is older than the call; what is built out of the cache keeps its age"
    return unknown(proof, _thing(image))


def _last(image: Image) -> int:
    """Return when an image was made or got a name last, in Unix nanoseconds."""
    told = image.inspected or {}
    times = [str(told.get("Created") or ""), str((told.get("Metadata") or {}).get("LastTagTime") or "")]
    return max(when(one) for one in times)


def _silent(complete: bool, action: str) -> Verdict:
    if complete:
        return not_happened(f"The engine has no event of it since then ({action})")
    return unknown(f"The engine does not remember so far back ({action})")


def _in_registry(work: Work, reference: str) -> str:
    try:
        return digest_in_registry(work, reference)
    except (Unreachable, NoAnswer):
        raise
    except EngineError:
        return ""


def _has(image: Image, digest: str) -> bool:
    return image.id == digest or any(one.endswith(f"@{digest}") for one in image.repo_digests)


def _reference(name: str, tag: str) -> str:
    if not name or "@" in name or ":" in name.rpartition("/")[2]:
        return name
    return f"{name}:{tag or 'latest'}"


def _thing(image: Image) -> Any:
    return thing("image", image.id, image.reference)
