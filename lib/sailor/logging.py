"""One JSON object per line on stdout, with the platform's fields and levels (protocol 10); secrets are masked."""

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
    """Writes whole lines to one file descriptor, from any thread."""

    def __init__(self, descriptor: int = 1, secrets: Secrets | None = None) -> None:
        self.secrets = secrets or Secrets()
        self._descriptor = descriptor
        _occupy(descriptor)
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Write a line as it is: whoever makes it has masked it."""
        line += b"\n"
        with self._lock:
            while line:
                try:
                    line = line[os.write(self._descriptor, line) :]
                except OSError:  # a closed pipe must not fail a message
                    return


def _occupy(descriptor: int) -> None:
    """Keep a descriptor that was closed from becoming a socket's: lines would go to the broker."""
    try:
        os.fstat(descriptor)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != descriptor:
            os.dup2(nowhere, descriptor)
            os.close(nowhere)


class Logger:
    """Writes lines of one name; `bind` returns one that adds fields to every line."""

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
        """What the lines of this logger do not show: the process's secrets, or also those of one message."""

    def bind(self, **fields: Any) -> Logger:
        """Return a logger of the same name with more fields; None values are left out."""
        given = {key: value for key, value in fields.items() if value is not None}
        return Logger(self._name, self._level, self._sink, {**self._fields, **given}, self.secrets)

    def named(self, name: str) -> Logger:
        return Logger(name, self._level, self._sink, self._fields, self.secrets)

    def hiding(self, secrets: Secrets, name: str | None = None, **fields: Any) -> Logger:
        """Return this logger for one message, whose own secrets stay hidden as well; None values are left out."""
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
    """Return an exception as the platform shows it: name, message, stack with its causes."""
    import traceback  # late: a run without errors does not need it

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
    """Return the runtime's logger for an environment; an unknown LOG_LEVEL means info, with a warning."""
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
    """Turn exceptions that nobody caught, in any thread, into log lines."""

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
    except (TypeError, ValueError, RecursionError):  # the text of a field is better than no line
        return jsontext.encode({key: _plain(value) for key, value in line.items()})


def _plain(value: Any) -> Any:
    """Return a value that has a JSON form: the value itself, or its text."""
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
