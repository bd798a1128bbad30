"""Reads the JSON values of options: the JSON itself, @file, or - for standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lib.local.problems import UsageError


def json_value(option: str, text: str) -> Any:
    """Return the JSON value of an option's text (JSON, @file or -); UsageError names the option and the place."""
    if text == "-":
        return _parsed(f"{option} (standard input)", sys.stdin.read())
    if text.startswith("@"):
        return json_file(Path(text[1:]), option)
    return _parsed(option, text)


def json_object(option: str, text: str) -> dict[str, Any]:
    """Return a JSON object as `json_value` does; raises UsageError also for other values."""
    value = json_value(option, text)
    if not isinstance(value, dict):
        raise UsageError(
            f"{option} must be a JSON object, not {_kind(value)}", hint='For example {"name": "value"}'
        )
    return value


def json_file(path: Path, option: str | None = None) -> Any:
    """Return the JSON value in a file; raises UsageError when it is missing, unreadable or no JSON."""
    name = f"{option} {path}" if option else str(path)
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{name} is not UTF-8 text", hint=f"Byte {error.start} is the first bad one"
        ) from error
    return _parsed(name, text)


def _parsed(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{name} is not valid JSON: {error.msg} at {place}") from error


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "an array"}
    return kinds[type(value)]
