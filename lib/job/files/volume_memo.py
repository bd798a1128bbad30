"""What a volume was like that a restore replaces: between its removal and the create of the new one, nothing tells it.

An empty volume with the name of the run carries it in a label, so a delivery that comes again makes the new volume with
the driver, options and labels of the old one.
"""

from __future__ import annotations

import time
from typing import Any

from lib import jsontext
from lib.engine.errors import NoSuchOperation, NotFound
from lib.job.comparison import foreign
from lib.job.repeat import PREFIX, RUN, spec_of
from lib.job.volume_creation import volume_created
from lib.job.work import Work
from lib.job.writes import removed

MEMO = f"{PREFIX}memo"
_PATH = "/volumes/{name}"
_PARTS = ("Driver", "Options", "Labels")
_KEPT_SECONDS = 86400  # that a sweep leaves it to a retry
Volume = dict[str, Any]


def kept(work: Work, old: Volume) -> None:
    """Remember a volume that is about to be removed, unless it is as any new one."""
    told = {part: old.get(part) for part in _PARTS} | {"Labels": dict(foreign(old.get("Labels")))}
    if not told["Labels"] and not told["Options"] and told["Driver"] == "local":
        return
    labels = work.run.labels(spec_of(told), int(time.time()) + _KEPT_SECONDS)
    body = {"Name": work.run.name, "Labels": labels | {MEMO: jsontext.encode(told).decode()}}
    volume_created(work, body, lambda: found(work) is not None)


def found(work: Work) -> Volume | None:
    """Return what an earlier delivery has remembered; EngineFault where its label cannot be read."""
    try:
        reply = work.engine.get(_PATH, {"name": work.run.name})
    except NoSuchOperation:
        raise
    except NotFound:
        return None
    return reply.read(lambda told: _read(work, told.get("Labels") or {}))


def forgotten(work: Work) -> None:
    """Remove the memo if there is one."""
    if found(work) is not None:
        fields = {"name": work.run.name}
        removed(lambda: work.engine.delete(_PATH, fields), lambda: found(work) is None)


def _read(work: Work, labels: dict[str, str]) -> Volume | None:
    if labels.get(RUN) != work.run.id or MEMO not in labels:
        return None
    told = jsontext.decode(labels[MEMO].encode())
    return {"Driver": str(told["Driver"]), **{part: dict(told[part] or {}) for part in _PARTS[1:]}}
