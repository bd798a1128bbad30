"""What a bad replacement leaves to look into: the new container under another name, and the end of its log."""

from __future__ import annotations

from lib.engine.answer.limits import Limits, bounded
from lib.engine.errors import EngineError, Refused
from lib.job.repeat import RUN, STEP
from lib.job.replacement.names import Names, base_of, is_evidence
from lib.job.states import RUNNING
from lib.job.targets import listed
from lib.job.work import Work

_LAST_LINES = 20
_READ = Limits(max_bytes=64 * 1024, max_items=_LAST_LINES, idle_seconds=10, max_seconds=30)


def swept(work: Work, names: Names) -> None:
    """Remove the bad one that an earlier run of this step has kept as evidence."""
    for other in listed(work.engine):
        ours = other.labels.get(STEP) == work.run.step and other.labels.get(RUN) != work.run.id
        evidence = base_of(other.name) == names.name and is_evidence(other.name) and other.status != RUNNING
        if ours and evidence and work.will("remove", "container", other.name, "an earlier run has kept it"):
            try:
                work.engine.delete("/containers/{id}", {"id": other.id})
            except Refused as refused:
                work.warn(f"{other.name} could not be removed: {refused.message}")


def last_lines(work: Work, identity: str) -> list[str]:
    """Return the last lines that a container wrote, or why they could not be read."""
    fields = {"id": identity, "stdout": True, "stderr": True, "tail": _LAST_LINES, "timestamps": True}
    try:
        logs = work.engine.logs(
            "/containers/{id}/logs", fields, query=("stdout", "stderr", "tail", "timestamps"), tty=None
        )
        with bounded(logs, _READ, lambda line: len(line.text)) as lines:
            return [line.text[:1000] for line in lines]
    except EngineError as fault:
        return [f"Its log could not be read: {fault.message}"]
