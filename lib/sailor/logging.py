"""Writes log lines: one JSON object per line on stdout, with the fields and levels of protocol 10.

A line is encoded first. Only if its text holds a secret are its values masked one by one and encoded again.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from lib import jsontext
from lib.sailor.errors import error_text
from lib.sailor.secrets.masking import Secrets

LEVELS = {"trace": 10, "debug": 20, "info": 30, "warn": 40, "error": 50, "fatal": 60}
_COPIED = (
    *("API_USERNAME", "COMP_ID", "COMP_NAME", "CONTAINER_ID", "CONTRACT_ID", "EXEC_ID", "EXEC_TYPE"),
    *("EXECUTION_RESULT_ID", "FLOW_ID", "FLOW_VERSION", "FUNCTION", "STEP_ID", "TASK_USER_EMAIL"),
    *("TENANT_ID", "USER_ID", "WORKSPACE_ID"),
)


class Sink:
    """Writes whole lines to one file descriptor; safe for threads."""

    def __init__(self, descriptor: int = 1, secrets: Secrets | None = None) -> None:
        self.secrets = secrets or Secrets()
        self._descriptor = descriptor
        _occupy(descriptor)
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Write a line, which the caller has masked; a closed pipe is no error."""
        line += b"\n"
        with self._lock:
            while line:
                try:
                    line = line[os.write(self._descriptor, line) :]
                except OSError:  # a closed pipe must not fail a message
                    return


def _occupy(descriptor: int) -> None:
    """Open /dev/null at a closed descriptor; else the next socket may get its number, and lines go to the broker."""
    try:
        os.fstat(descriptor)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != descriptor:
            os.dup2(nowhere, descriptor)
            os.close(nowhere)


class Logger:
    """Writes lines with one `name` and the same fields, from a level on (protocol 10).

    `msg` is a text or an exception, `fields` are any values. A value without a JSON form is written as its text.
    """

    def __init__(
        self,
        name: str,
        level: int,
        sink: Sink,
        fields: Mapping[str, Any],
        secrets: Secrets | None = None,
    ) -> None:
        self._name = name
        self._level = level
        self._sink = sink
        self._fields = fields
        self.secrets = secrets or sink.secrets
        """What is masked in the lines of this logger: the secrets of the process, and perhaps of one message."""

    def bind(self, **fields: Any) -> Logger:
        """Return a logger with more fields on every line; fields that are None are left out."""
        given = {key: value for key, value in fields.items() if value is not None}
        return Logger(self._name, self._level, self._sink, {**self._fields, **given}, self.secrets)

    def named(self, name: str) -> Logger:
        return Logger(name, self._level, self._sink, self._fields, self.secrets)

    def hiding(self, secrets: Secrets, name: str | None = None, **fields: Any) -> Logger:
        """Return a logger that masks `secrets`, with more fields; fields that are None are left out."""
        given = {key: value for key, value in fields.items() if value is not None}
        return Logger(name or self._name, self._level, self._sink, {**self._fields, **given}, secrets)

    def enabled(self, level: str) -> bool:
        return LEVELS[level] >= self._level

    def trace(self, msg: object, **fields: Any) -> None:
        self._write(10, msg, fields)

    def debug(self, msg: object, **fields: Any) -> None:
        self._write(20, msg, fields)

    def info(self, msg: object, **fields: Any) -> None:
        self._write(30, msg, fields)

    def warning(self, msg: object, **fields: Any) -> None:
        self._write(40, msg, fields)

    def error(self, msg: object, **fields: Any) -> None:
        self._write(50, msg, fields)

    def fatal(self, msg: object, **fields: Any) -> None:
        self._write(60, msg, fields)

    def _write(self, level: int, msg: object, fields: dict[str, Any]) -> None:
        if level < self._level:
            return
        line = {"name": self._name, **self._fields, "level": level, **fields}
        if isinstance(msg, BaseException):
            line.setdefault("err", msg)
        if isinstance(line.get("err"), BaseException):
            line["err"] = describe(line["err"])
        line["msg"] = msg if isinstance(msg, str) else error_text(msg)
        line["time"] = _timestamp()
        line["v"] = 0
        self._sink.write(self._encoded(line))

    def _encoded(self, line: dict[str, Any]) -> bytes:
        text = _encoded(line)
        if self.secrets.show_in(text.decode(errors="replace")):
            text = _encoded({key: self.secrets.masked(_plain(value)) for key, value in line.items()})
        return text


def describe(error: BaseException) -> dict[str, Any]:
    """Return the field `err` of a log line (protocol 10): name, message, stack with causes, code if there is one."""
    import traceback  # imported late: a run without errors does not need it

    described = {"name": type(error).__name__, "message": error_text(error)}
    described["stack"] = "".join(traceback.format_exception(error)).rstrip()
    if isinstance(code := getattr(error, "code", None), (str, int)):
        described["code"] = str(code)
    return described


def open_logger(
    environment: Mapping[str, str],
    *,
    name: str = "sailor",
    descriptor: int = 1,
    secrets: Secrets | None = None,
) -> Logger:
    """Return a logger with the level and fields of an environment; an unknown LOG_LEVEL gives info and a warning."""
    wanted = environment.get("LOG_LEVEL", "").strip().lower()
    fields: dict[str, Any] = {"hostname": os.uname().nodename, "pid": os.getpid()}
    if "ELASTICIO_FLOW_ID" in environment:
        fields["tag"] = environment["ELASTICIO_FLOW_ID"]
    names = [f"ELASTICIO_{copied}" for copied in _COPIED]
    fields |= {key: environment[key] for key in names if key in environment}
    logger = Logger(name, LEVELS.get(wanted, LEVELS["info"]), Sink(descriptor, secrets), fields)
    if wanted and wanted not in LEVELS:
        logger.warning(f"LOG_LEVEL={wanted!r} is unknown; info is used", known=list(LEVELS))
    return logger


def catch_uncaught(logger: Logger) -> None:
    """Log uncaught exceptions of all threads as fatal."""

    def main(_: Any, error: BaseException, __: Any) -> None:
        logger.fatal("process.uncaughtException", err=error)

    sys.excepthook = main
    threading.excepthook = lambda lost: logger.fatal("process.uncaughtException", err=lost.exc_value)


def _timestamp() -> str:
    nanoseconds = time.time_ns()
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest // 1_000_000:03d}Z"


def _encoded(line: Mapping[str, Any]) -> bytes:
    try:
        return jsontext.encode(line)
    except (TypeError, ValueError, RecursionError):  # a field without a JSON form is written as its text
        return jsontext.encode({key: _plain(value) for key, value in line.items()})


def _plain(value: Any) -> Any:
    """Return the value if it has a JSON form, else its `repr`."""
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    try:
        return jsontext.decode(jsontext.encode(value))
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a log line must not fail its message
        return type(value).__name__
