"""What became of the tasks that failed, with the last lines that they wrote."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lib.engine.answer.limits import Limits, bounded
from lib.engine.errors import EngineError
from lib.job.service.tasks import FAILED, Task
from lib.job.work import Work

_MOST = 10
"""Tasks that are told, the newest of each slot."""
_LINES, _LENGTH = 20, 1000
_READ = Limits(max_bytes=64 * 1024, max_items=_LINES, idle_seconds=5, max_seconds=10)
_QUERY = ("stdout", "stderr", "tail", "timestamps")  # timestamps: the first byte tells frames from a terminal


def failures(work: Work, tasks: Iterable[Task]) -> list[dict[str, Any]]:
    """Return {slot, node, state, error, exitCode, lines} for the last failed task of each slot; tasks: oldest first."""
    last = {task.slot: task for task in tasks if task.state in FAILED}
    newest = sorted(last.values(), key=lambda task: task.created)[-_MOST:]
    return [
        {
            "slot": task.slot,
            "node": task.node,
            "state": task.state,
            "error": task.error[:_LENGTH],
            **({} if task.exit_code is None else {"exitCode": task.exit_code}),
            "lines": _last_lines(work, task),
        }
        for task in newest
    ]


def _last_lines(work: Work, task: Task) -> list[str]:
    if task.state == "rejected":
        return []  # it has never run
    fields = {"id": task.id, "stdout": True, "stderr": True, "tail": _LINES, "timestamps": True}
    try:
        logs = work.engine.logs("/tasks/{id}/logs", fields, query=_QUERY, tty=None)
        with bounded(logs, _READ, lambda line: len(line.text)) as lines:
            return [line.text[:_LENGTH] for line in lines]
    except EngineError as fault:
        return [f"Its log could not be read: {fault.message}"]
