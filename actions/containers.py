"""Containers: from create to delete, their state, logs, files and processes."""

from __future__ import annotations

from lib.action import action
from lib.answer import Answer
from lib.engine import Engine, Fields, Reply
from lib.engine.query import filters, is_true, seconds


def _changed(reply: Reply) -> Answer:
    """304 is success: the container was in that state already (ContainerStart, ContainerStop)."""
    return {"changed": reply.status != 304}  # noqa: PLR2004


def has_terminal(engine: Engine, fields: Fields) -> bool:
    """Whether the container of field `id` has a TTY, and so sends its output without frames."""
    return bool(engine.get("/containers/{id}/json", fields).json()["Config"]["Tty"])


@action("ContainerList")
def container_list(engine: Engine, fields: Fields) -> Answer:
    """List containers: GET /containers/json."""
    return engine.get("/containers/json", fields, query=("all", "limit", "size", filters()))


@action("ContainerCreate")
def container_create(engine: Engine, fields: Fields) -> Answer:
    """Create a container: POST /containers/create."""
    return engine.post(
        "/containers/create", fields, query=("name", "platform"), body="requestBody", timeout="slow"
    )


@action("ContainerInspect")
def container_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect a container: GET /containers/{id}/json."""
    return engine.get("/containers/{id}/json", fields, query=("size",))


@action("ContainerTop")
def container_top(engine: Engine, fields: Fields) -> Answer:
    """List the processes of a container: GET /containers/{id}/top."""
    return engine.get("/containers/{id}/top", fields, query=("ps_args",))


@action("ContainerLogs")
def container_logs(engine: Engine, fields: Fields) -> Answer:
    """Read the logs of a container: GET /containers/{id}/logs. Both streams, unless the input says which."""
    if not is_true(fields.get("stdout")) and not is_true(fields.get("stderr")):
        fields = {**fields, "stdout": True, "stderr": True}
    query = (
        "follow",
        "stdout",
        "stderr",
        seconds("since"),
        seconds("until"),
        "timestamps",
        "tail",
        "details",
    )
    return engine.logs("/containers/{id}/logs", fields, query=query, tty=has_terminal)


@action("ContainerChanges")
def container_changes(engine: Engine, fields: Fields) -> Answer:
    """List changed files: GET /containers/{id}/changes."""
    return engine.get("/containers/{id}/changes", fields)


@action("ContainerResize")
def container_resize(engine: Engine, fields: Fields) -> Answer:
    """Resize the terminal of a container: POST /containers/{id}/resize."""
    return engine.post("/containers/{id}/resize", fields, query=("h", "w"))


@action("ContainerStart")
def container_start(engine: Engine, fields: Fields) -> Answer:
    """Start a container: POST /containers/{id}/start."""
    return _changed(engine.post("/containers/{id}/start", fields, query=("detachKeys",), timeout="slow"))


@action("ContainerStop")
def container_stop(engine: Engine, fields: Fields) -> Answer:
    """Stop a container: POST /containers/{id}/stop."""
    return _changed(engine.post("/containers/{id}/stop", fields, query=("signal", "t"), timeout="slow"))


@action("ContainerRestart")
def container_restart(engine: Engine, fields: Fields) -> Answer:
    """Restart a container: POST /containers/{id}/restart."""
    return _changed(engine.post("/containers/{id}/restart", fields, query=("signal", "t"), timeout="slow"))


@action("ContainerKill")
def container_kill(engine: Engine, fields: Fields) -> Answer:
    """Send a signal to a container: POST /containers/{id}/kill."""
    return engine.post("/containers/{id}/kill", fields, query=("signal",))


@action("ContainerUpdate")
def container_update(engine: Engine, fields: Fields) -> Answer:
    """Change the limits of a container: POST /containers/{id}/update."""
    return engine.post("/containers/{id}/update", fields, body="requestBody")


@action("ContainerRename")
def container_rename(engine: Engine, fields: Fields) -> Answer:
    """Rename a container: POST /containers/{id}/rename."""
    return engine.post("/containers/{id}/rename", fields, query=("name",))


@action("ContainerPause")
def container_pause(engine: Engine, fields: Fields) -> Answer:
    """Pause a container: POST /containers/{id}/pause."""
    return engine.post("/containers/{id}/pause", fields)


@action("ContainerUnpause")
def container_unpause(engine: Engine, fields: Fields) -> Answer:
    """Resume a container: POST /containers/{id}/unpause."""
    return engine.post("/containers/{id}/unpause", fields)


@action("ContainerWait")
def container_wait(engine: Engine, fields: Fields) -> Answer:
    """Wait for a container to end: POST /containers/{id}/wait."""
    return engine.post("/containers/{id}/wait", fields, query=("condition",), timeout="wait", reads=True)


@action("ContainerDelete")
def container_delete(engine: Engine, fields: Fields) -> Answer:
    """Delete a container: DELETE /containers/{id}."""
    return engine.delete("/containers/{id}", fields, query=("v", "force", "link"), timeout="slow")


@action("ContainerPrune")
def container_prune(engine: Engine, fields: Fields) -> Answer:
    """Delete stopped containers: POST /containers/prune."""
    return engine.post("/containers/prune", fields, query=(filters(),), timeout="slow")
