"""Turns the texts of environment variables into values, by the rules of protocol 1.3 and 1.4."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lib.sailor.errors import SettingsError

PREFIX = "ELASTICIO_"
SHORTEST_TIMEOUT, LONGEST_TIMEOUT, MOST_RETRIES = 500, 1_200_000, 4
"""Bounds of REQUEST_TIMEOUT, in milliseconds, and of REQUEST_MAX_RETRY (protocol 6.5)."""

LARGEST = 2**40
"""Upper bound of every number: a terabyte in bytes, 34 years in milliseconds. Timers take no larger numbers."""
DAY = 86_400_000
"""Milliseconds."""
BOUNDS = {
    "api_request_retry_attempts": (1, 1000),
    "api_request_retry_delay": (0, DAY),
    "rebound_initial_expiration": (0, LARGEST),
    "rabbitmq_prefetch_sailor": (1, LARGEST),
    "data_rate_limit": (1, LARGEST),
    "error_rate_limit": (1, LARGEST),
    "snapshot_rate_limit": (1, LARGEST),
    "rate_interval": (0, DAY),
    "amqp_publish_retry_delay": (0, DAY),
    "amqp_publish_retry_attempts": (1, LARGEST),
    "amqp_publish_max_retry_delay": (0, DAY),
    "outgoing_message_size_limit": (1, LARGEST),
    "object_storage_size_threshold": (0, LARGEST),
    "amqp_reconnect_attempts": (0, LARGEST),
    "amqp_reconnect_timeout": (0, DAY),
    "shutdown_deadline": (0, DAY),
}
"""Smallest and largest usable value of each variable; pauses are in milliseconds."""
MOST_DIGITS = 4000
"""Python converts at most 4300 digits to an int."""

_LEADING_INTEGER = re.compile(r"\s*([+-]?)(?:0[xX]([0-9a-fA-F]+)|(\d+))")
_DIGITS = re.compile(r"[0-9]{1,15}")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LOOKS_FALSE = frozenset(("0", "no", "off", "n", "f", "none", "null", "false"))


def integer(text: str | None, default: int | None) -> int | None:
    """Return the leading integer of a text, at most LARGEST; the default when it is unset, empty, no number or zero."""
    found = _LEADING_INTEGER.match(text) if text else None
    if found is None:
        return default
    sign, hexadecimal, decimal = found.groups()
    value = int(hexadecimal or decimal[:MOST_DIGITS], 16 if hexadecimal else 10)
    value = min(value, LARGEST)
    return (-value if sign == "-" else value) or default


def bounded(name: str, value: int | None) -> int | None:
    """Return the value, or the nearest one within BOUNDS."""
    if value is None or name not in BOUNDS:
        return value
    least, most = BOUNDS[name]
    return min(max(value, least), most)


def whole(variables: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return a variable of our own, such as URL_MAX_BYTES: a whole number from 1 to `most`, otherwise SettingsError."""
    if not (text := variables.get(name, "").strip()):
        return default
    value = int(text) if _DIGITS.fullmatch(text) else 0
    if not 1 <= value <= most:
        raise SettingsError(f"{name} must be a whole number from 1 to {most}, not {text[:50]!r}")
    return value


def boolean(text: str | None, default: bool) -> bool:
    """Return the default when the text is unset, False for the empty text and `false`, True for all else."""
    return default if text is None else text not in ("", "false")


def looks_mistaken(text: str, kind: str) -> bool:
    """Return whether the platform's rules probably read this text otherwise than its author meant it."""
    if kind == "bool":
        return text != "false" and text.strip().lower() in _LOOKS_FALSE
    return kind.startswith("int") and re.fullmatch(r"-?0*[1-9]\d{0,11}", text) is None


def additional_headers(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that ADDITIONAL_VARS_FOR_HEADERS asks for, with keys in camel case (protocol 1.4)."""
    names = [name.strip() for name in environment.get(PREFIX + "ADDITIONAL_VARS_FOR_HEADERS", "").split(",")]
    return {
        camel_case(name.removeprefix(PREFIX)): environment[name]
        for name in names
        if name and name in environment
    }


def camel_case(name: str) -> str:
    """Return FOO_BAR as fooBar; words are split at signs, at changes of case, and between letters and digits."""
    first, *rest = _WORDS.findall(name) or [""]
    return str(first.lower() + "".join(word.capitalize() for word in rest))


def request_limits(variables: Mapping[str, str]) -> dict[str, int]:
    """Return the limits of object storage calls that are set; a value out of its range is left out (protocol 6.5)."""
    timeout = integer(variables.get("REQUEST_TIMEOUT"), None) or 0
    retries = integer(variables.get("REQUEST_MAX_RETRY"), None) or 0
    limits = {"request_timeout": timeout} if SHORTEST_TIMEOUT <= timeout <= LONGEST_TIMEOUT else {}
    return limits | ({"request_max_retry": retries} if 0 < retries <= MOST_RETRIES else {})
