"""Ports as `docker ps` shows them: 127.0.0.1:8080->80/tcp, and neighbours that follow one another as one range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any


def ranges(ports: Sequence[Any]) -> list[str]:
    """Return the ports in order, in as few texts as can be; raises ValueError where something is no port.

    Understands the ports of containers (IP, PublicPort, PrivatePort, Type), of services (PublishedPort, TargetPort,
    Protocol) and of jobs (hostIp, hostPort, port, protocol).
    """
    rows = [_port(item) for item in ports]
    rows.sort(key=lambda row: (row[0], row[3], row[1], row[2]))
    # Ports that follow one another have the same distance to their place in the list, and to their other end.
    numbered = [
        (row, number - row[2], row[1] - row[2] if row[1] else None) for number, row in enumerate(rows)
    ]
    runs = [list(run) for _, run in groupby(numbered, lambda one: (one[0][0], one[0][3], *one[1:]))]
    return [_run([row for row, *_ in run]) for run in runs]


def _port(item: Any) -> tuple[str, int, int, str]:
    """Return (address, port of the host or 0, port of the container, protocol); raises ValueError for anything else."""
    if not isinstance(item, Mapping):
        raise ValueError("no port")  # noqa: TRY004 - the caller takes one kind of error
    address = item.get("IP") or item.get("hostIp") or ""
    outer = item.get("PublicPort") or item.get("PublishedPort") or item.get("hostPort") or 0
    inner = item.get("PrivatePort") or item.get("TargetPort") or item.get("port") or 0
    protocol = item.get("Type") or item.get("Protocol") or item.get("protocol") or "tcp"
    if "PublishedPort" in item:
        address = "*"
    if not (isinstance(address, str) and isinstance(protocol, str)):
        raise ValueError("no port")  # noqa: TRY004
    if not all(isinstance(number, int) and 0 <= number < 65536 for number in (outer, inner)):  # noqa: PLR2004
        raise ValueError("no port")
    return address, outer, inner, protocol


def _run(rows: list[tuple[str, int, int, str]]) -> str:
    (address, outer, inner, protocol), (_, last_outer, last_inner, _) = rows[0], rows[-1]
    inside = f"{inner}-{last_inner}" if last_inner > inner else str(inner)
    if not outer:
        return f"{inside}/{protocol}"
    outside = f"{outer}-{last_outer}" if last_outer > outer else str(outer)
    return f"{address}:{outside}->{inside}/{protocol}" if address else f"{outside}->{inside}/{protocol}"
