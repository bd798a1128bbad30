"""Input for a process that cannot hear it: an engine takes it and throws it away, and the exit code is still 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.query import is_true

ATTACHMENT = "stdinAttachment"


def check_exec(fields: Mapping[str, Any], prepared: Mapping[str, Any], *, detached: bool) -> None:
    """Raise BadInput where ExecStart has input and its command was prepared without one (ExecInspect tells).

    What will be heard is opened now: a source that cannot be read is an error before the process runs.
    """
    if fields.get("input") is None:
        return
    if detached:
        hint = "Leave Detach out, so that the step stays connected and sends the input"
        _refuse(fields, "stdin", "a detached command gets no input", hint)
    if not prepared.get("OpenStdin"):
        hint = "Prepare the command with AttachStdin: true in the requestBody of ContainerExec"
        _refuse(fields, "stdin", "this command was prepared without input (AttachStdin)", hint)
    fields["input"].open()


def exec_input(fields: Mapping[str, Any], prepared: Mapping[str, Any]) -> Iterable[bytes] | None:
    """Return what a command is to hear: nothing, but its end, where it waits for input and there is none."""
    given: Iterable[bytes] | None = fields.get("input")
    return () if given is None and prepared.get("OpenStdin") else given


def attach_input(fields: Mapping[str, Any], config: Mapping[str, Any]) -> Iterable[bytes] | None:
    """Return the same for a container: where the step takes its input over, and nobody else and no terminal has it."""
    given: Iterable[bytes] | None = fields.get("input")
    ours = is_true(fields.get("stdin")) and config.get("StdinOnce") and not config.get("Tty")
    return () if given is None and ours else given


def check_attach(fields: Mapping[str, Any], container: Mapping[str, Any]) -> None:
    """Raise BadInput where there is input for a container that has none or has ended (ContainerInspect tells).

    One that was created and not started yet hears it when it starts. What will be heard is opened now.
    """
    if fields.get("input") is None:
        return
    if not container["Config"].get("OpenStdin"):
        hint = "Create the container with OpenStdin: true (and StdinOnce: true, so that its input ends)"
        _refuse(fields, "stdinText", "this container was created without input (OpenStdin)", hint)
    if container["State"].get("Status") in ("exited", "dead", "removing"):
        hint = "Start it with ContainerStart, or create a new one and attach before it starts"
        _refuse(fields, "stdinText", "this container has ended", hint)
    fields["input"].open()


def _refuse(fields: Mapping[str, Any], text: str, why: str, hint: str) -> None:
    field = ATTACHMENT if fields.get(ATTACHMENT) else text
    raise BadInput(f"{field}: {why}, the input would be lost", field=field, hint=hint)
