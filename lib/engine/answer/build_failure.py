"""Makes the error of a failed BuildKit build: which step, its exit code or its reason, and its last lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.engine.answer.build_steps import BuildSteps
from lib.engine.errors import EngineError, StreamCut, StreamFailed, shortened
from lib.engine.http.known_refusals import known_in_stream

# 20.10: "executor failed running [/bin/sh -c make]: exit code: 3"; from 23.0 on:
# 'process "/bin/sh -c make" did not complete successfully: exit code: 3'.
_COMMAND = ("executor failed running ", 'process "')
_EXIT_CODE = re.compile(r": exit code: (\d{1,10})$")
BEFORE = (
    "failed to solve with frontend dockerfile.v0: ",
    "failed to solve with frontend gateway.v0: ",
    "failed to create LLB definition: ",
)
"""What BuildKit of 20.10 puts before the reason."""
_NO_DOCKERFILE = ("failed to read dockerfile: open ", ": no such file or directory")
_MISSING = re.compile(r'failed to compute cache key: .{0,500}"(/[^"]{1,500})":? not found')
_NEEDED = re.compile(r"secret (\S{1,200}?)(?: not found)?: not found$")
_UNSET = re.compile(r'unset ssh forward key (\S{1,200})|no SSH key "([^"]{0,200})" forwarded from the client')
# What engines say when a session is gone: before it is used, and in the middle of it.
_GONE = (
    "no active session for",
    "only one connection allowed",
    "transport is closing",
    "code = Unavailable",
    "Unavailable: error reading",
    "Unavailable: connection error",
)
_NEVER_THERE = "no active session"
_LOST = "The connection of the build session was lost"
# What a frontend says of a Dockerfile that is newer than the engine, or misspelt.
_SYNTAX = ("unexpected key '", "unknown instruction", "unknown flag")
_NEWER = (
    "Check the spelling. If the engine is older than what the Dockerfile uses, begin it with "
    "# syntax=docker/dockerfile:1, which the engine pulls"
)
# What registries that want a login, or another one, are known to cause, in lower case.
_ACCESS = (
    "401 unauthorized",
    "403 forbidden",
    "failed to authorize",
    "no basic auth credentials",
    "unauthorized:",
    "authorization failed",
    "insufficient_scope",
    "requested access to the resource is denied",
)
# All that is said of a frontend that ends: nothing names it but the step that fetched it.
_FRONTEND_ENDED = re.compile(r"exit code: (\d{1,10})")
_FRONTEND = "docker-image://"
_SHOWN = 2_000  # characters of the last lines


@dataclass(frozen=True)
class SessionFacts:
    """What is known of a build's session: why there is none of our own, why it was lost, what it was asked for.

    `hosts` are the registries whose login was asked for, and whether it was given.
    """

    refusal: str = ""
    lost: str = ""
    hosts: Mapping[str, bool] = field(default_factory=dict)


def build_failure(message: str, steps: BuildSteps, session: SessionFacts) -> EngineError:
    """Return the error for the text of BuildKit's last record.

    It is a StreamFailed; a StreamCut, which may be gone later, where the build's session was lost.
    """
    message = message.replace("\0", "")  # of what was taken for a Dockerfile
    for words in BEFORE:
        message = message.removeprefix(words)
    found = steps.failed()
    step, lines = found or (None, [])
    label = step.label if step else None
    if step is None and (ended := _FRONTEND_ENDED.fullmatch(message)):
        message = _frontend_ended(ended[1], steps)
    if step and (told := _outcome(step.error or message)):
        text = f"Step {label} {told}"
    else:
        text = (
            f"{shortened(_reason(message, session))} (at {label})"
            if label
            else shortened(_reason(message, session))
        )
    hints = _hints(message, session)
    if lines:
        hints.append(f"Before it: {_shown(lines)}")
    hint = ". ".join(hints) or None
    if _is_lost(message, session):
        return StreamCut(f"{session.lost or _LOST}, so the build failed: {text}", hint=hint)
    return StreamFailed(text, step=label, hint=hint)


def _frontend_ended(code: str, steps: BuildSteps) -> str:
    labels = [
        step.label.removeprefix(_FRONTEND) for step in steps.shown() if step.label.startswith(_FRONTEND)
    ]
    image = f" {labels[-1].partition('@')[0]}" if labels else ""
    return (
        f"The frontend{image} that the Dockerfile names (# syntax=) ended with exit code {code}: "
        "it failed, or the image is no frontend"
    )


def _outcome(error: str) -> str:
    code = _EXIT_CODE.search(error)
    return f"ended with exit code {code[1]}" if code and any(word in error for word in _COMMAND) else ""


def _is_lost(message: str, session: SessionFacts) -> bool:
    """Whether the build failed for the loss of its session; the engine may tell before this side has noticed."""
    return not session.refusal and not _EXIT_CODE.search(message) and any(words in message for words in _GONE)


def _reason(message: str, session: SessionFacts) -> str:
    if message.endswith("context canceled"):
        return "The build was cancelled at the engine"
    if told := _lacking(message):
        return told
    host = _refusing(message, session.hosts)
    if host:
        told = "refused the login given" if session.hosts[host] else "wants a login, or has no such image"
        return f"The registry {host} {told}: {message}"
    return message


def _lacking(message: str) -> str:
    """Return what the message of the step lacks, "" if it lacks nothing."""
    if needed := _NEEDED.search(message):
        return f"The Dockerfile needs the secret {needed[1]} (required=true): give it in secrets"
    if unset := _UNSET.search(message):
        key = unset[1] or unset[2] or "default"
        return f"The Dockerfile needs an SSH key for the id {key}: give it in ssh"
    if missing := _MISSING.search(message):
        return f"{missing[1]} is not in the build context"
    if message.startswith(_NO_DOCKERFILE[0]) and message.endswith(_NO_DOCKERFILE[1]):
        return "The build context has no Dockerfile of this name: give the one that it has in dockerfile"
    return ""


def _refusing(message: str, hosts: Mapping[str, bool]) -> str:
    """Return the registry that refused: of those that were asked for, the one in the text, else the last one."""
    lower = message.lower()
    if _EXIT_CODE.search(message) or not any(words in lower for words in _ACCESS):
        return ""
    return next((host for host in hosts if host in lower), next(reversed(list(hosts)), ""))


def _hints(message: str, session: SessionFacts) -> list[str]:
    if _EXIT_CODE.search(message):
        return []  # what a command says is no refusal
    if _is_lost(message, session):
        return ["No image was made; a later build may work"]
    if session.refusal and _NEVER_THERE in message:
        return [f"{session.refusal}, so the engine could not ask this step for what it needs"]
    if any(words in message.lower() for words in _SYNTAX):
        return [_NEWER]
    if host := _refusing(message, session.hosts):
        return [_login_hint(host, given=session.hosts[host])]
    row = known_in_stream(message)
    return [row.hint] if row else []


def _login_hint(host: str, *, given: bool) -> str:
    if given:
        return f"Check the login for {host} (X_Registry_Config, or registries in the credential)"
    return f"Add {host} to registries in the credential, or to X_Registry_Config"


def _shown(lines: list[str]) -> str:
    """Return the last lines that have room, whole: of a line cut at its front, a secret could not be recognised."""
    shown: list[str] = []
    left = _SHOWN
    for line in reversed(lines):
        left -= len(line) + 1
        if left < 0 and shown:
            break
        shown.append(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…")
    return "\n".join(reversed(shown))
