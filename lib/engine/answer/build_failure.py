"""Makes the error of a failed BuildKit build: which step, its exit code or its reason, and its last lines."""

from __future__ import annotations

import re

from lib.engine.answer.build_steps import BuildSteps
from lib.engine.errors import StreamFailed, shortened
from lib.engine.http.known_refusals import known_in_stream

# 20.10: "executor failed running [/bin/sh -c make]: exit code: 3"; from 23.0 on:
# 'process "/bin/sh -c make" did not complete successfully: exit code: 3'.
_COMMAND = ("executor failed running ", 'process "')
_EXIT_CODE = re.compile(r": exit code: (\d{1,10})$")
# 20.10 puts these before the reason.
_BEFORE = ("failed to solve with frontend dockerfile.v0: ", "failed to create LLB definition: ")
_MISSING = re.compile(r'failed to compute cache key: .{0,500}"(/[^"]{1,500})":? not found')
_NEEDED = re.compile(r"secret (\S{1,200}?)(?: not found)?: not found$")
_UNSET = re.compile(r'unset ssh forward key (\S{1,200})|no SSH key "([^"]{0,200})" forwarded from the client')
_ASKS_BACK = ("no active session", "only one connection allowed")
_NO_SESSION = "There was no session"
_SHOWN = 2_000  # characters of the last lines


def build_failure(message: str, steps: BuildSteps, no_session: str = "") -> StreamFailed:
    """Return the error for the text of BuildKit's last record; `no_session` says why there is no session."""
    for words in _BEFORE:
        message = message.removeprefix(words)
    found = steps.failed()
    step, lines = found or (None, [])
    label = step.label if step else None
    if step and (told := _outcome(step.error or message)):
        text = f"Step {label} {told}"
    else:
        text = f"{shortened(_reason(message))} (at {label})" if label else shortened(_reason(message))
    hints = _hints(message, no_session)
    if lines:
        hints.append(f"Before it: {_shown(lines)}")
    return StreamFailed(text, step=label, hint=". ".join(hints) or None)


def _outcome(error: str) -> str:
    code = _EXIT_CODE.search(error)
    return f"ended with exit code {code[1]}" if code and any(word in error for word in _COMMAND) else ""


def _reason(message: str) -> str:
    if message.endswith("context canceled"):
        return "The build was cancelled at the engine"
    if needed := _NEEDED.search(message):
        return f"The Dockerfile needs the secret {needed[1]} (required=true): give it in secrets"
    if unset := _UNSET.search(message):
        key = unset[1] or unset[2] or "default"
        return f"The Dockerfile needs an SSH key for the id {key}: give it in ssh"
    missing = _MISSING.search(message)
    return f"{missing[1]} is not in the build context" if missing else message


def _hints(message: str, no_session: str) -> list[str]:
    if _EXIT_CODE.search(message):
        return []  # what a command says is no refusal
    if any(words in message for words in _ASKS_BACK):
        return [f"{no_session or _NO_SESSION}, so the engine could not ask this step for what it needs"]
    row = known_in_stream(message)
    return [row.hint] if row else []


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
