"""Refuses input for a process that cannot read it: an engine drops such input, and the exit code is still 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.query import is_true

ATTACHMENT = "stdinAttachment"


def check_exec(fields: Mapping[str, Any], prepared: Mapping[str, Any], *, detached: bool) -> None:
    """Raise BadInput if ExecStart has input for a command without stdin; `prepared` is the answer of ExecInspect.

    It opens the input: a source that cannot be read raises before the process runs.
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
    """Return the stdin to send; () closes stdin at once, for a command that waits for input where there is none."""
    given: Iterable[bytes] | None = fields.get("input")
    return () if given is None and prepared.get("OpenStdin") else given


def attach_input(fields: Mapping[str, Any], config: Mapping[str, Any]) -> Iterable[bytes] | None:
    """Return the same for a container; () only if this step alone feeds its stdin (StdinOnce), and there is no TTY."""
    given: Iterable[bytes] | None = fields.get("input")
    ours = is_true(fields.get("stdin")) and config.get("StdinOnce") and not config.get("Tty")
    return () if given is None and ours else given


def check_attach(fields: Mapping[str, Any], container: Mapping[str, Any]) -> None:
    """Raise BadInput if the container of an input has no stdin or has ended; `container` is from ContainerInspect.

    A container that is not started yet reads the input when it starts. It opens the input, as `check_exec` does.
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
