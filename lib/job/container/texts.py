"""The short texts of an input, as a create body has them: 8080:80, on-failure:3, and the parts of a health check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.scalar import scalar

Tree = dict[str, Any]
_SECOND = 10**9
_COUNT = re.compile("[0-9]{0,9}")
_MOST_PORTS = 1000
_PORT_HINT = "Write 8080:80, 127.0.0.1:53:53/udp, or 80 for a free port of the host"
_TIMES = {"intervalSeconds": "Interval", "timeoutSeconds": "Timeout", "startSeconds": "StartPeriod"}


def ports(values: Any) -> Tree:
    """Return the PortBindings of texts such as 127.0.0.1:8080:80/tcp; ranges of equal length are taken apart."""
    found: Tree = {}
    count = 0
    for number, value in enumerate(values):
        place = f"ports[{number}]"
        text, _, protocol = scalar(value, place).strip().partition("/")
        head, _, inner = text.rpartition(":")
        address, _, outer = head.rpartition(":")
        inside, outside = _range(inner, place), _range(outer, place) if outer else [""]
        if len(outside) != len(inside) and outer:
            raise BadInput(
                f"{place}: {text[:60]!r} has ranges of different length", field=place, hint=_PORT_HINT
            )
        count += len(inside)
        if count > _MOST_PORTS:
            raise BadInput(f"ports has more than {_MOST_PORTS} ports", field="ports")
        for index, one in enumerate(inside):
            entry = {"HostIp": address.strip("[]"), "HostPort": outside[index] if outer else ""}
            found.setdefault(f"{one}/{protocol.lower() or 'tcp'}", []).append(entry)
    return found


def restart(value: Any) -> Tree:
    """Return the RestartPolicy of a text such as on-failure:3."""
    name, _, count = scalar(value, "restart").strip().partition(":")
    if name not in ("no", "always", "unless-stopped", "on-failure") or not _COUNT.fullmatch(count):
        raise BadInput(
            f"restart: {value!r:.60} is no restart policy",
            field="restart",
            hint="Write no, always, unless-stopped, on-failure or on-failure:3",
        )
    return {"Name": name, "MaximumRetryCount": int(count or 0)}


def healthcheck(given: Mapping[str, Any]) -> Tree:
    """Return the Healthcheck of {command, intervalSeconds, timeoutSeconds, startSeconds, retries, disabled}."""
    if given.get("disabled"):
        return {"Test": ["NONE"]}
    check: Tree = {
        name: ceil(float(given[key]) * _SECOND) for key, name in _TIMES.items() if given.get(key) is not None
    }
    if given.get("retries") is not None:
        check["Retries"] = int(given["retries"])
    command = given.get("command")
    if isinstance(command, list):
        check["Test"] = ["CMD", *(scalar(word, "healthcheck.command") for word in command)]
    elif command:
        check["Test"] = ["CMD-SHELL", scalar(command, "healthcheck.command")]
    return check


def _range(text: str, place: str) -> list[str]:
    first, dash, last = text.partition("-")
    ends = [first, last] if dash else [first]
    if not all(one.isascii() and one.isdecimal() and len(one) <= 5 for one in ends):  # noqa: PLR2004
        raise BadInput(f"{place}: {text[:60]!r} is no port", field=place, hint=_PORT_HINT)
    low, high = int(ends[0]), int(ends[-1])
    if not 0 < low <= high < low + _MOST_PORTS:
        raise BadInput(f"{place}: {text[:60]!r} is no range of ports", field=place, hint=_PORT_HINT)
    return [str(number) for number in range(low, high + 1)]
