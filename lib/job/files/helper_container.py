"""The container through which a volume is read and written: it never runs, and its image is empty.

The image is made on the engine from a tar without members, so no registry is asked and no code comes in. Where a proxy
forbids that, the smallest image of the engine serves: nothing of it is started either. The container's name is that of
the run, so a delivery that comes again finds it; the image goes with the last container that was made of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lib.engine.errors import Conflict, EngineError, EngineFault, NotFound, OutcomeUnknown, Refused
from lib.engine.request.upload import Upload
from lib.job.errors import NotSettled
from lib.job.repeat import RUN, SPEC, spec_of
from lib.job.work import Work

IMAGE = "docker-engine-connector/empty:latest"
"""Podman ignores the tag of an import, and gives it this one."""
ROOT = "/volume"
"""Where the volume is in the helper."""
CALLS = (("POST", "/images/create"), ("POST", "/containers/create"), ("DELETE", "/containers/helper"))
_NO_MEMBERS = bytes(1024)
_GOING = ("removing", "dead")
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)
_KEPT_SECONDS = 900  # that a helper without its job is left alone by a sweep


Helper = tuple[str, dict[str, str]]
"""Id and labels."""


def made(work: Work, volume: str, more: Mapping[str, str], *, reads: bool) -> Helper:
    """Return the run's helper for a volume, made or found; one that is made gets `more` labels.

    Raises NotSettled where its name is taken by a container of something else, TimeIsUp at the step's deadline.
    """
    labels = marks(work, volume, reads=reads)
    mount = {"Type": "volume", "Source": volume, "Target": ROOT, "ReadOnly": reads}
    known = labels
    labels = labels | dict(more)
    body: dict[str, Any] = {
        "Image": IMAGE,
        "Cmd": ["-"],  # an image without a command is refused; this one is never started
        "Labels": labels,
        "HostConfig": {"NetworkMode": "none", "Mounts": [{**mount, "VolumeOptions": {"NoCopy": True}}]},
    }

    def look() -> Helper | None:
        try:
            reply = work.engine.post(
                "/containers/create", {"name": work.run.name}, query=("name",), body=body
            )
            return reply.read(lambda told: (str(told["Id"]), labels))
        except NotFound:  # no image yet, or another job has just removed it
            body["Image"] = _image(work)
        except (Conflict, OutcomeUnknown):  # made by an earlier delivery, or one that is about to remove it
            return found(work, known)
        return None

    late = f"The helper container for {volume} is taken away again and again; nothing was changed"
    return work.until(look, lambda made: made is not None, lambda _: (late, {})) or ("", {})


def marks(work: Work, volume: str, *, reads: bool) -> dict[str, str]:
    """Return the labels by which a helper is known."""
    until = int(time.time() + work.settings.max_seconds + _KEPT_SECONDS)
    return work.run.labels(spec_of({"volume": volume, "reads": reads}), until)


def removed(work: Work, container: str) -> None:
    """Take a helper away, and its image if it was the last one of it; what is gone already is no error."""
    for pause in _PAUSES:
        try:
            work.engine.delete("/containers/{id}", {"id": container, "force": True}, query=("force",))
            break
        except (NotFound, Conflict):
            break
        except EngineFault:  # another delivery of the message is reading or writing in it
            work.context.cancelled.wait(pause)
    else:
        work.warn(f"The helper container {work.run.name} could not be removed")
    with suppress(Refused):  # in use by another helper, gone, or not for this credential
        work.engine.delete("/images/{+name}", {"name": IMAGE})


def is_gone(work: Work, container: str) -> bool:
    """Whether another delivery of the same message has taken the helper away, or is about to."""
    try:
        inspected = work.engine.get("/containers/{id}/json", {"id": container})
    except NotFound:
        return True
    return bool(inspected.read(lambda told: told["State"]["Status"] in _GOING))


def found(work: Work, labels: Mapping[str, str]) -> Helper | None:
    """Return the helper that a delivery of this message has left, known by `labels`; None where there is none."""
    try:
        reply = work.engine.get("/containers/{id}/json", {"id": work.run.name})
    except NotFound:  # removed meanwhile
        return None
    identity, there, status = reply.read(
        lambda told: (str(told["Id"]), told["Config"].get("Labels") or {}, told["State"]["Status"])
    )
    if any(there.get(label) != labels[label] for label in (RUN, SPEC)):
        raise NotSettled(f"A container {work.run.name} is there that this input has not made")
    if status in _GOING:
        with suppress(Refused):
            work.engine.delete("/containers/{id}", {"id": identity, "force": True}, query=("force",))
        return None
    return identity, there


def _image(work: Work) -> str:
    repository, _, tag = IMAGE.rpartition(":")
    fields = {"fromSrc": "-", "repo": repository, "tag": tag}
    try:
        upload = Upload([_NO_MEMBERS], len(_NO_MEMBERS))
        with work.engine.progress("/images/create", fields, query=tuple(fields), body=upload) as lines:
            for _ in lines:
                pass
    except Refused as refused:
        return _smallest(work, refused)
    return IMAGE


def _smallest(work: Work, refused: EngineError) -> str:
    images = work.engine.get("/images/json").read(
        lambda told: [(int(image["Size"]), str(image["Id"])) for image in told]
    )
    if not images:
        raise refused
    return min(images)[1]
