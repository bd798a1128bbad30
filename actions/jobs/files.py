"""Jobs that bring files into containers and volumes, and out of them."""

from __future__ import annotations

from typing import Any

from lib.job import Work, job
from lib.job.files.backup import backed_up
from lib.job.files.copy_in import copied_in
from lib.job.files.copy_out import copied_out
from lib.job.files.restore import restored


@job("CopyFilesIn", changes=True)
def copy_files_in(work: Work) -> dict[str, Any]:
    """Write files into a container or a volume, where they differ from what is there."""
    return copied_in(work)


@job("CopyFilesOut", changes=True)
def copy_files_out(work: Work) -> dict[str, Any]:
    """Take a file or a folder out of a container or a volume; a volume needs a helper container for that time."""
    return copied_out(work)


@job("BackupVolume", changes=True)
def backup_volume(work: Work) -> dict[str, Any]:
    """Store a volume as an attachment; the containers that use it can be held still for that time."""
    return backed_up(work)


@job("RestoreVolume", changes=True)
def restore_volume(work: Work) -> dict[str, Any]:
    """Fill a volume from a backup: a new one, one that is there, or one in its place."""
    return restored(work)
