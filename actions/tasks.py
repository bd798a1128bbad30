"""Actions on the tasks of services."""

from __future__ import annotations

from actions.services import LOG_QUERY
from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.request.query import filters


def _has_terminal(engine: Engine, fields: Fields) -> bool:
    reply = engine.get("/tasks/{id}", fields)
    return reply.read(lambda task: bool(task["Spec"].get("ContainerSpec", {}).get("TTY")))


@action("TaskList")
def task_list(engine: Engine, fields: Fields) -> Answer:
    """List tasks: GET /tasks."""
    return engine.get("/tasks", fields, query=(filters(),))


@action("TaskInspect")
def task_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect a task: GET /tasks/{id}."""
    return engine.get("/tasks/{id}", fields)


@action("TaskLogs")
def task_logs(engine: Engine, fields: Fields) -> Answer:
    """Read the logs of a task: GET /tasks/{id}/logs."""
    return engine.logs("/tasks/{id}/logs", fields, query=LOG_QUERY, tty=_has_terminal)
