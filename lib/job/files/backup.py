"""BackupVolume: a volume as one attachment, with what is needed to make it anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lib.action.settings import ARCHIVE_BYTES
from lib.config.form import whole
from lib.engine.errors import BadInput, LimitReached, StreamCut
from lib.engine.request.path import name_of
from lib.engine.text import plain
from lib.job.files import helper_container, quiet
from lib.job.files.copy_out import GZIP_TYPE
from lib.job.files.paths import opened
from lib.job.files.place import Spot, checked_in, through_helper
from lib.job.files.volume_archive import Held, pack
from lib.job.users import User, users_of_volume
from lib.job.work import Work

NAME = "{volume}-{time}.tgz"
QUIET_SECONDS = 300.0
_LONGEST_NAME = 255


def backed_up(work: Work) -> dict[str, Any]:
    """Return the output of BackupVolume."""
    fields = work.fields
    volume, how = name_of(str(fields["volume"]), "volume"), str(fields.get("quiesce", quiet.NONE))
    limit = whole(work.config, "maxBytes", ARCHIVE_BYTES, least=1)
    now = datetime.now(UTC)
    name = _named(str(fields.get("name") or NAME), volume, now)
    inspected = work.engine.get("/volumes/{name}", {"name": volume}).read(_told)
    users = other_users(work, volume)
    running = [user for user in users if user["state"] == quiet.RUNNING]
    answer = {**inspected, "users": users, "consistent": how != quiet.NONE or not running, "name": name}
    work.permit(*helper_container.CALLS, *quiet.calls(how))
    quiet.planned(work, how, users)
    if work.settings.dry_run:
        return answer
    if how == quiet.NONE and running:
        work.warn("Containers that use the volume run on: what they write meanwhile may be there in part")
    manifest = {"volume": volume, "time": now.isoformat(timespec="seconds"), **inspected}
    with Held() as held:

        def act(spot: Spot) -> int:
            with quiet.held_still(work, how, spot.labels):
                return _packed(work, spot, held, manifest, limit, still=how != quiet.NONE)

        files = through_helper(work, volume, act, writes=False, labels=quiet.label(how, users))
        attachment = work.store(held(), name, GZIP_TYPE)
        return answer | {
            "attachment": attachment,
            "size": held.size,
            "sha256": held.sha256,
            "files": files,
        }


def other_users(work: Work, volume: str) -> list[User]:
    """Return the containers that mount a volume, without the run's own helper."""
    return [user for user in users_of_volume(work.engine, volume) if user["name"] != work.run.name]


def _packed(
    work: Work, spot: Spot, held: Held, manifest: Mapping[str, Any], limit: int, *, still: bool
) -> int:
    """Pack the volume on the disk, so that containers wait for nothing else; a broken archive is read again."""
    seconds = float(work.fields.get("maxQuiet", QUIET_SECONDS)) if still else work.deadline.left
    exclude = [str(pattern) for pattern in work.fields.get("exclude") or ()]
    for last in (False, False, True):
        checked_in(work)
        held.clear()
        try:
            with opened(spot, spot.root, min(seconds, work.deadline.left)) as archive:
                return pack(archive, held, manifest, exclude, limit)
        except StreamCut as cut:
            if last or still:
                cut.hint = "Something writes to the volume: set quiesce to pause"
                raise
        except LimitReached as reached:
            if still and reached.limit == "maxSeconds" and seconds < work.deadline.left:
                raise LimitReached(
                    f"The copy was not done after {seconds:g} s, and the containers go on",
                    limit="maxQuiet",
                    hint="Raise maxQuiet",
                ) from reached
            raise
    raise AssertionError


def _told(inspected: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "driver": str(inspected["Driver"]),
        "labels": dict(inspected.get("Labels") or {}),
        "options": dict(inspected.get("Options") or {}),
    }


def _named(template: str, volume: str, now: datetime) -> str:
    name = template.replace("{volume}", volume).replace("{time}", now.strftime("%Y%m%dT%H%M%SZ"))
    if not plain(name, "name", line=True).strip() or len(name) > _LONGEST_NAME:
        raise BadInput(f"name must be a name of up to {_LONGEST_NAME} characters", field="name")
    return name
