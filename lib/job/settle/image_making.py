"""What was to be made an image: by a commit, a build or an import. Its mark, its name and its times, then events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.action.run_mark import RUN
from lib.engine.expected import expected_form
from lib.engine.request.query import filters
from lib.job.image import Image, look_for
from lib.job.settle.evidence import FORGOTTEN, Event, evidence_since
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import Verdict, at, happened, not_happened, thing, unknown, when
from lib.job.work import Work


def committed(work: Work, tried: Tried) -> Verdict:
    """ImageCommit: the mark, or the event of the container that names the image."""
    if (marked := _marked(work, tried)) is not None:
        return marked
    source = tried.needed("container")
    repo = tried.text("repo")
    reference = reference_of(repo, tried.text("tag")) if repo else ""

    def fits(event: Event) -> bool:
        told = event.says("imageRef")  # as people write it: without the host of Docker Hub
        return event.is_of(source) and (reference == told or (bool(told) and reference.endswith(f"/{told}")))

    events = evidence_since(work.engine, tried.since)
    found = events.of("container", "commit", fits)
    if found is not None:
        told = thing("image", found.says("imageID"), reference or found.says("imageID"))
        return happened(f"An event of {at(found.time)} tells of it (commit)", told)
    if events.complete:
        return not_happened("The engine has no event of it since then (commit)")
    if not reference:
        return unknown(f"No event tells of it (commit), and {FORGOTTEN}")
    return _named(work, tried, reference)


def built(work: Work, tried: Tried) -> Verdict:
    """ImageBuild: the mark of the run, or an image of each name that was made or tagged since then."""
    if (marked := _marked(work, tried)) is not None:
        return marked
    given: Any = tried.fields.get("t")
    names = [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, str) and one]
    if not names and tried.run:
        return not_happened("No image has the mark of the run")
    if not names:
        return unknown("The build had no tag and no mark, so its image cannot be told from others")
    found = [_named(work, tried, reference_of(one, "")) for one in names]
    return next((one for one in found if one.outcome != "happened"), found[0])


def imported(work: Work, tried: Tried) -> Verdict:
    """ImageCreate of an archive: its event has the image's id alone."""
    repo = tried.text("repo")
    events = evidence_since(work.engine, tried.since)
    if events.complete and events.of("image", "import") is None:
        return not_happened("The engine has no event of it since then (import)")
    if not repo:
        return unknown("Without a name it cannot be told from others (import)")
    return _named(work, tried, reference_of(repo, tried.text("tag")))


def _marked(work: Work, tried: Tried) -> Verdict | None:
    """Return the verdict where an image has the mark of the run."""
    if not tried.run:
        return None
    query = {"filters": {"label": [f"{RUN}={tried.run}"]}}
    listed = work.engine.get("/images/json", query, query=(filters(),))

    def read(told: Any) -> list[Mapping[str, Any]]:
        return [dict(one) for one in told if (one.get("Labels") or {}).get(RUN) == tried.run]

    found = listed.read(read)
    if not found:
        return None
    with expected_form():
        identity = str(found[0]["Id"])
        name = next((str(one) for one in found[0].get("RepoTags") or ()), identity)
    return happened(f"The image {name} has the mark of the run", thing("image", identity, name))


@expected_form()
def _named(work: Work, tried: Tried, reference: str) -> Verdict:
    if (image := look_for(work, reference)) is None:
        return not_happened(f"There is no image {reference}")
    if tried.run:
        return not_happened(f"{reference} has not the mark of the run", the(image))
    if (last := _last(image)) >= tried.since:
        return happened(f"{reference} was made or tagged at {at(last)}", the(image))
    proof = f"{reference} is older than the call; what is built out of the cache keeps its age"
    return unknown(proof, the(image))


def _last(image: Image) -> int:
    """Return when an image was made or got a name last, in Unix nanoseconds."""
    told = image.inspected or {}
    times = [str(told.get("Created") or ""), str((told.get("Metadata") or {}).get("LastTagTime") or "")]
    return max(when(one) for one in times)


def reference_of(name: str, tag: str) -> str:
    """Return the reference that a name and a tag make, as engines read them."""
    if not name or "@" in name or ":" in name.rpartition("/")[2]:
        return name
    return f"{name}:{tag or 'latest'}"


def the(image: Image) -> Any:
    """Return what an output says of an image."""
    return thing("image", image.id, image.reference)
