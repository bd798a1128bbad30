"""What RunCommand is to run: the fields of the input as the body of ContainerExec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.scalar import scalar
from lib.engine.text import parsed, shown
from lib.job.command.record import Mark
from lib.job.repeat import spec_of
from lib.job.run.command import words
from lib.job.run.good_codes import good_codes
from lib.job.work import Work

_NOT_OF_THE_WISH = ("idempotencyKey", "target", "targets", "parallel", "stopAtFirstFailure", "okCodes")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to run; `has_key` is whether the input names its run itself."""

    words: list[str]
    body: Mapping[str, Any]
    """That of ContainerExec, the same for each container."""
    mark: Mark
    ok_codes: frozenset[int]
    has_input: bool
    has_key: bool
    may_be_ended: bool
    """Whether its processes can be found: by the time of killAfter, or with half of an input, they are ended."""

    def body_in(self, container: str) -> Mapping[str, Any]:
        """Return the body of ContainerExec for a container."""
        if not self.may_be_ended:
            return self.body
        return {**self.body, "Env": [*self.body.get("Env", ()), self.mark.variable(container)]}


def wish_of(work: Work) -> Wish:
    """Read the input; raises BadInput for what does not fit together."""
    fields = work.fields
    command = words(fields.get("command"), "command", work.warn)
    if not command:
        raise BadInput("command is needed", field="command")
    has_input = any(fields.get(name) is not None for name in ("stdinText", "stdinAttachment"))
    mark = Mark.of(
        work.run, spec_of({name: value for name, value in fields.items() if name not in _NOT_OF_THE_WISH})
    )
    variables = [f"{name}={_text(value)}" for name, value in _env(fields).items() if value is not None]
    body: dict[str, Any] = {
        "AttachStdin": has_input,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
        "DetachKeys": mark.keys,
        "Cmd": command,
        "Env": variables,
        "User": None if fields.get("user") is None else scalar(fields["user"], "user"),
        "WorkingDir": fields.get("workingDir"),
    }
    body = {name: value for name, value in body.items() if value not in (None, [])}
    codes = good_codes(fields)
    has_key = fields.get("idempotencyKey") is not None
    return Wish(command, body, mark, codes, has_input, has_key, has_input or bool(work.settings.kill_after))


def _env(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    value = parsed(fields.get("env") or {}, "env")
    if not isinstance(value, dict):
        raise BadInput(f"env must be an object, not {shown(value)}", field="env")
    return value


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, float) and not value.is_integer() else scalar(value, "env")
