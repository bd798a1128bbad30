"""RestoreVolume: a backup, or another tar, into a new volume, into one that is there, or in its place.

The archive is read to its end and checked before anything is changed. A volume that this job makes carries the run's
label, and the helper container is there while it is filled: so a delivery that comes again knows whether an earlier one
has filled the volume (label, no helper), or died on the way (both; it is filled again with the same files).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.action.settings import ARCHIVE_BYTES
from lib.config.form import whole
from lib.engine.answer.limits import capped
from lib.engine.answer.reply import Reply
from lib.engine.answer.tar_reader import members
from lib.engine.errors import BadInput, EngineError, NoAnswer, NotFound, OutcomeUnknown, Refused
from lib.engine.request.path import name_of
from lib.job.errors import WouldDestroy
from lib.job.files import helper_container, volume_memo
from lib.job.files.backup import other_users
from lib.job.files.paths import opened
from lib.job.files.place import Spot, checked_in, through_helper
from lib.job.files.volume_archive import Contents, Held, rerooted
from lib.job.repeat import PREFIX, RUN, spec_of
from lib.job.users import named
from lib.job.volume_creation import volume_created
from lib.job.work import Work
from lib.job.writes import removed

NEW, MERGE, REPLACE = "newVolume", "merge", "replace"
_PATH = "/volumes/{name}"
_CREATE = "/volumes/create"
_BESIDE = "Libpod"
"""How Podman names itself: it puts the folder `volume` of an archive beside the volume that is mounted there."""


@dataclass(frozen=True)
class _Restore:
    work: Work
    volume: str
    held: Held
    contents: Contents

    def output(self, action: str) -> dict[str, Any]:
        """Return what a message says."""
        told = {"volume": self.volume, "action": action, "files": self.contents.files, "size": self.held.size}
        return told | {"sha256": self.held.sha256}


def restored(work: Work) -> dict[str, Any]:
    """Return the output of RestoreVolume.

    Raises WouldDestroy where the volume is there and may not be touched, or is in use and was to be replaced.
    """
    fields = work.fields
    volume, mode = name_of(str(fields["volume"]), "volume"), str(fields.get("mode", NEW))
    limit = whole(work.config, "maxBytes", ARCHIVE_BYTES, least=1)
    put = ("PUT", "/containers/helper/archive")
    work.permit(
        ("POST", _CREATE),
        *helper_container.CALLS,
        put,
        *([("DELETE", "/volumes/old")] if mode == REPLACE else []),
    )
    with Held() as held:
        _read(work, held, limit)
        run = _Restore(work, volume, held, Contents.of(held, limit))
        there = _look(work, volume)
        if there is not None and there["Labels"].get(RUN) == work.run.id:
            return _at_its_end(run, mode, _again(run, mode))
        if mode == MERGE:
            return _merged(run, there)
        if there is None:
            old = volume_memo.found(work) if mode == REPLACE else None
            return _at_its_end(run, mode, _created(run, old or {}, "replaced" if old else "created"))
        if mode == NEW:
            raise WouldDestroy(
                f"The volume {volume} is there already",
                hint="Choose another name, or mode merge or replace",
            )
        return _at_its_end(run, mode, _replaced(run, there))


def _at_its_end(run: _Restore, mode: str, output: dict[str, Any]) -> dict[str, Any]:
    if mode == REPLACE and not run.work.settings.dry_run:
        volume_memo.forgotten(run.work)
    return output


def _read(work: Work, held: Held, limit: int) -> None:
    upload = work.attached(str(work.fields["attachment"]))
    upload.open()
    try:
        for piece in capped(upload, limit):
            checked_in(work)
            held.write(piece)
    finally:
        upload.close()
    wanted = str(work.fields.get("sha256") or "").strip().lower()
    if wanted and wanted != held.sha256:
        raise BadInput(
            f"sha256: the attachment has {held.sha256}", field="sha256", hint="Nothing was changed"
        )


def _again(run: _Restore, mode: str) -> dict[str, Any]:
    """An earlier delivery has made the volume: fill it unless that was done."""
    work, action = run.work, "replaced" if mode == REPLACE else "created"
    if work.settings.dry_run:
        return run.output("none")
    if helper_container.found(
        work, helper_container.marks(work, run.volume, reads=False)
    ) is None and _is_filled(run):
        return run.output("none")
    work.will("write", "volume", run.volume, "an earlier delivery of this message has not filled it")
    _fill(run)
    return run.output(action)


def _is_filled(run: _Restore) -> bool:
    """Whether anything is in the volume; an archive without a file cannot be told from one that was not unpacked."""

    def look(spot: Spot) -> bool:
        with opened(spot, f"{spot.root}/.", run.work.deadline.left) as archive:
            for number, _ in enumerate(members(archive, checked=False)):
                if number:
                    return True
        return False

    # As for writing: two deliveries at once, of which one looks and one fills, share the helper.
    return through_helper(run.work, run.volume, look, writes=True)


def _merged(run: _Restore, there: Mapping[str, Any] | None) -> dict[str, Any]:
    work = run.work
    if there is None:
        raise NotFound(f"There is no volume {run.volume}", hint="Mode newVolume makes it")
    if running := [user for user in other_users(work, run.volume) if user["state"] == "running"]:
        work.warn(f"The volume is in use while it is written: {named(running)}")
    if work.will(
        "write", "volume", run.volume, f"{run.contents.files} files; those of the same name are replaced"
    ):
        _fill(run)
    return run.output("merged")


def _replaced(run: _Restore, there: dict[str, Any]) -> dict[str, Any]:
    work, volume = run.work, run.volume
    if users := other_users(work, volume):
        raise WouldDestroy(
            f"The volume {volume} cannot be replaced: {named(users)} use it",
            usedBy=users,
            hint="Remove these containers first, or use mode merge",
        )
    if work.will("remove", "volume", volume, "it is replaced by the backup"):
        volume_memo.kept(work, there)
        # Without force: the engine's refusal of a volume in use is the second guard.
        removed(lambda: work.engine.delete(_PATH, {"name": volume}), lambda: _look(work, volume) is None)
    return _created(run, there, "replaced")


def _created(run: _Restore, old: Mapping[str, Any], action: str) -> dict[str, Any]:
    """Make the volume as `old` was, or as the archive tells, and fill it."""
    work, volume = run.work, run.volume
    body = _body(run, old)
    work.will("create", "volume", volume, "it is not there" if not old else "it was removed to be replaced")
    if not work.will("write", "volume", volume, f"{run.contents.files} files"):
        return run.output(action)
    volume_created(work, body, lambda: _look(work, volume) is not None)
    made = _look(work, volume)
    if (
        made is None or made["Labels"].get(RUN) != work.run.id
    ):  # an existing one is answered as if it were new
        raise WouldDestroy(
            f"The volume {volume} was made by something else meanwhile; nothing was written to it"
        )
    try:
        _fill(run)
    except EngineError:
        if not work.context.cancelled.is_set():
            _forget(run)
        raise
    return run.output(action)


def _forget(run: _Restore) -> None:
    """Remove the volume that this run has made and could not fill."""
    try:
        run.work.engine.delete(_PATH, {"name": run.volume})
    except (Refused, OutcomeUnknown) as problem:
        run.work.warn(f"The volume {run.volume}, filled in part, could not be removed: {problem}")


def _body(run: _Restore, old: Mapping[str, Any]) -> dict[str, Any]:
    """Return what creates the volume.

    Driver and options of an archive are taken only where the input says so: they can make a volume of any folder of
    the engine's host, and an archive is only as trustworthy as the place that it was kept in.
    """
    told = {"driver": old.get("Driver"), "options": old.get("Options"), "labels": old.get("Labels")}
    if not old:
        told = {part: run.contents.manifest.get(part) for part in told}
        if not run.work.fields.get("useOptions") and (
            told["options"] or str(told["driver"] or "local") != "local"
        ):
            run.work.warn(
                "The volume is made with the driver local and no options, for useOptions is not set"
            )
            told |= {"driver": None, "options": None}
    labels = {name: text for name, text in _texts(told["labels"]).items() if not name.startswith(PREFIX)}
    mark = spec_of({"volume": run.volume, "sha256": run.held.sha256})
    return {
        "Name": run.volume,
        "Driver": str(told["driver"] or "local"),
        "DriverOpts": _texts(told["options"]),
        "Labels": labels | run.work.run.labels(mark),
    }


def _texts(value: Any) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, Mapping) else {}


def _fill(run: _Restore) -> None:
    def write(spot: Spot) -> None:
        reply = _put(spot, run.contents.target, run.held)
        if run.contents.manifest and reply.headers.get("Server", "").startswith(_BESIDE):
            with Held() as own:
                rerooted(run.held, own)
                _put(spot, spot.root, own)

    try:
        through_helper(run.work, run.volume, write, writes=True)
    except OutcomeUnknown as unknown:
        raise NoAnswer(
            f"The upload was cut: {unknown.message}", hint="A repeat writes all files again"
        ) from unknown


def _put(spot: Spot, path: str, held: Held) -> Reply:
    fields = {"id": spot.container, "path": path}
    return spot.engine.put(
        "/containers/{id}/archive", fields, query=("path",), body=held.upload(), timeout="transfer"
    )


def _look(work: Work, volume: str) -> dict[str, Any] | None:
    try:
        told = work.engine.get(_PATH, {"name": volume})
    except NotFound:
        return None
    return told.read(lambda volume: {**volume, "Labels": dict(volume.get("Labels") or {})})
