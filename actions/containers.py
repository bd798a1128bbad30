"""Actions on containers: create and delete, state, logs, files and processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib.action import Answer, action
from lib.engine import Engine, Fields, Reply
from lib.engine.answer.pathstat import HEADER, path_stat
from lib.engine.answer.stats import percentages
from lib.engine.attach.duplex import Duplex
from lib.engine.attach.session import END_OF_INPUT, Dialogue, upgrade, websocket
from lib.engine.errors import StreamFailed
from lib.engine.expected import expected_form
from lib.engine.request.process_input import attach_input, check_attach
from lib.engine.request.published_ports import published
from lib.engine.request.query import body_object, filters, is_true, lines, seconds, whole
from lib.engine.request.tar_writer import file_archive
from lib.engine.text import utf8

if TYPE_CHECKING:  # see lib.engine.attach.session
    from lib.engine.attach.websocket import WebSocket

_ATTACH = ("detachKeys", "logs", "stream", "stdin", "stdout", "stderr")


def _changed(reply: Reply) -> Answer:
    """Return {changed}; the status 304 is success: the container was in that state before."""
    return {"changed": reply.status != 304}  # noqa: PLR2004


def _attaching(fields: Fields) -> Fields:
    """Return the fields with defaults: stdout, stderr and stream; stdin too if there is input for the process."""
    wanted = dict(fields)
    if not is_true(fields.get("stdout")) and not is_true(fields.get("stderr")):
        wanted.update(stdout=True, stderr=True)
    if not is_true(fields.get("logs")) and fields.get("stream") is None:
        wanted["stream"] = True
    if fields.get("input") is not None:
        wanted.update(stdin=True, stream=True)
    return wanted


def has_terminal(engine: Engine, fields: Fields) -> bool:
    """Return whether the container in the field `id` has a TTY; then its output has no frames."""
    reply = engine.get("/containers/{id}/json", fields)
    return reply.read(lambda container: bool(container["Config"]["Tty"]))


def _attachable(engine: Engine, fields: Fields) -> dict[str, Any]:
    """Return {Tty, StdinOnce} of the container; raises BadInput if there is input that it would not read."""

    def config(container: dict[str, Any]) -> dict[str, Any]:
        check_attach(fields, container)
        return {name: container["Config"].get(name) for name in ("Tty", "StdinOnce")}

    return engine.get("/containers/{id}/json", fields).read(config)


@action("ContainerList")
def container_list(engine: Engine, fields: Fields) -> Answer:
    """List containers: GET /containers/json."""
    return engine.get("/containers/json", fields, query=("all", "limit", "size", filters()))


@action("ContainerCreate")
def container_create(engine: Engine, fields: Fields) -> Answer:
    """Create a container: POST /containers/create. Bound ports are exposed too, and a warning in the answer says so."""
    body, warnings = published(body_object(fields))
    query = ("name", "platform")
    reply = engine.post("/containers/create", fields, query=query, body=body, timeout="slow")
    return _warned(reply, warnings) if warnings else reply


def _warned(reply: Reply, warnings: list[str]) -> Answer:
    return reply.read(lambda told: {**told, "Warnings": [*(told.get("Warnings") or []), *warnings]})


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
    """Read the logs of a container: GET /containers/{id}/logs."""
    query = (
        "follow",
        "stdout",
        "stderr",
        seconds("since"),
        seconds("until"),
        "timestamps",
        lines("tail"),
        "details",
    )
    return engine.logs("/containers/{id}/logs", fields, query=query, tty=has_terminal)


@action("ContainerChanges")
def container_changes(engine: Engine, fields: Fields) -> Answer:
    """List changed files: GET /containers/{id}/changes."""
    return engine.get("/containers/{id}/changes", fields)


@action("ContainerExport")
def container_export(engine: Engine, fields: Fields) -> Answer:
    """Export the files of a container: GET /containers/{id}/export."""
    return engine.tar("/containers/{id}/export", fields, name="container.tar")


@action("ContainerStats")
def container_stats(engine: Engine, fields: Fields) -> Answer:
    """Read the stats of a container: GET /containers/{id}/stats. One sample, unless the fields ask for a stream."""
    fields = {"stream": False, **fields}
    query = ("stream", "one-shot")
    if is_true(fields["stream"]):
        return engine.lines("/containers/{id}/stats", fields, query=query, each=_measured)
    return engine.get("/containers/{id}/stats", fields, query=query).read(_measured)


def _measured(sample: dict[str, Any]) -> dict[str, Any]:
    with expected_form():
        return {**sample, **percentages(sample)}


@action("ContainerResize")
def container_resize(engine: Engine, fields: Fields) -> Answer:
    """Resize the terminal of a container: POST /containers/{id}/resize."""
    return engine.post("/containers/{id}/resize", fields, query=(whole("h"), whole("w")))


@action("ContainerStart")
def container_start(engine: Engine, fields: Fields) -> Answer:
    """Start a container: POST /containers/{id}/start."""
    return _changed(
        engine.post("/containers/{id}/start", fields, query=("detachKeys",), timeout="slow", unchanged=True)
    )


@action("ContainerStop")
def container_stop(engine: Engine, fields: Fields) -> Answer:
    """Stop a container: POST /containers/{id}/stop."""
    return _changed(
        engine.post("/containers/{id}/stop", fields, query=("signal", "t"), timeout="slow", unchanged=True)
    )


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


@action("ContainerAttach", feeds_stdin="stdinText")
def container_attach(engine: Engine, fields: Fields) -> Answer:
    """Attach to a container: POST /containers/{id}/attach."""
    config = _attachable(engine, fields)
    connection = upgrade(engine, "/containers/{id}/attach", _attaching(fields), query=_ATTACH)
    return _conversation(engine, fields, connection, config, tty=config["Tty"])


@action("ContainerAttachWebsocket", feeds_stdin="stdinText")
def container_attach_websocket(engine: Engine, fields: Fields) -> Answer:
    """Attach to a container by websocket: GET /containers/{id}/attach/ws. Its output has no frames."""
    config = _attachable(engine, fields)
    connection = websocket(engine, "/containers/{id}/attach/ws", _attaching(fields), query=_ATTACH)
    return _conversation(engine, fields, connection, config, tty=True)


def _conversation(
    engine: Engine, fields: Fields, connection: Duplex | WebSocket, config: dict[str, Any], *, tty: bool
) -> Dialogue:
    final_input = END_OF_INPUT if config["Tty"] else None if config.get("StdinOnce") else b""
    stdin = attach_input(fields, config)
    return Dialogue(connection, tty, stdin, lambda: _state(engine, fields), final_input)


def _state(engine: Engine, fields: Fields) -> dict[str, Any]:
    def ending(container: dict[str, Any]) -> dict[str, Any]:
        state = container["State"]
        no_code = state["Running"] or state.get("Status") == "created"
        return {"running": state["Running"], "exitCode": None if no_code else state["ExitCode"]}

    return engine.get("/containers/{id}/json", fields).read(ending)


@action("ContainerWait")
def container_wait(engine: Engine, fields: Fields) -> Answer:
    """Wait for a container to end: POST /containers/{id}/wait."""
    return _waited(
        engine.post("/containers/{id}/wait", fields, query=("condition",), timeout="wait", reads=True)
    )


def _waited(reply: Reply) -> Reply:
    """Return the answer; raises StreamFailed if the wait itself failed: the body has the error, the status was 200."""
    problem = reply.read(_wait_problem) if reply.kind == "json" else "no exit code came"
    if problem:
        raise StreamFailed(f"The wait failed: {problem}", hint="Ask ContainerInspect how the container ended")
    return reply


def _wait_problem(told: dict[str, Any]) -> str:
    if told.get("StatusCode") is not None and not told.get("Error"):
        return ""
    return (told.get("Error") or {}).get("Message") or told.get("message") or "no exit code came"


@action("ContainerDelete")
def container_delete(engine: Engine, fields: Fields) -> Answer:
    """Delete a container: DELETE /containers/{id}."""
    return engine.delete("/containers/{id}", fields, query=("v", "force", "link"), timeout="slow")


@action("ContainerArchiveInfo")
def container_archive_info(engine: Engine, fields: Fields) -> Answer:
    """Inspect a path in a container: HEAD /containers/{id}/archive."""
    return path_stat(engine.head("/containers/{id}/archive", fields, query=("path",)).headers.get(HEADER, ""))


@action("ContainerArchive")
def container_archive(engine: Engine, fields: Fields) -> Answer:
    """Copy a path from a container: GET /containers/{id}/archive."""
    return engine.tar("/containers/{id}/archive", fields, query=("path",), name="archive.tar")


@action("PutContainerArchive", upload=lambda fields: not fields.get("file"))
def put_container_archive(engine: Engine, fields: Fields) -> Answer:
    """Unpack an archive, or one file, in a container: PUT /containers/{id}/archive."""
    file = fields.get("file")
    if file:
        content = file_archive(
            file["name"], utf8(file["content"], "file.content"), mode=int(file.get("mode") or "644", 8)
        )
        fields = {**fields, "requestBody": content}
    query = ("path", "noOverwriteDirNonDir", "copyUIDGID")
    return engine.put("/containers/{id}/archive", fields, query=query, body="requestBody", timeout="transfer")


@action("ContainerPrune")
def container_prune(engine: Engine, fields: Fields) -> Answer:
    """Delete stopped containers: POST /containers/prune."""
    return engine.post("/containers/prune", fields, query=(filters(deletes=True),), timeout="slow")
