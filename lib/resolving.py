"""Resolves a host name to socket addresses, within a time limit.

The system's resolver may block for minutes, and nothing can cancel it. So the lookup runs on a daemon thread. When the
limit passes, the caller goes on and the thread's result is dropped. An IP address needs no lookup and no thread.
"""

from __future__ import annotations

import socket
import threading
from typing import Any

Place = tuple[socket.AddressFamily, Any]
"""Address family and address, as `socket.connect` takes it."""


class NotResolvedInTime(TimeoutError):
    """The resolver gave no result within the limit; the text names the host and the limit in seconds."""


def places(host: str, port: int, seconds: float) -> list[Place]:
    """Return the addresses of a host in the order to try them; there is at least one.

    `seconds` limits the lookup. Raises NotResolvedInTime when it passes, OSError for an unknown host, ValueError for a
    text that cannot be a host name.
    """
    try:
        return _found(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        return _looked_up(host, port, seconds)


def _looked_up(host: str, port: int, seconds: float) -> list[Place]:
    answers: list[list[Place] | OSError | ValueError] = []

    def ask() -> None:
        try:
            answers.append(_found(host, port))
        except (OSError, ValueError) as error:
            answers.append(error)

    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(max(seconds, 0))
    if not answers:
        raise NotResolvedInTime(f"The name {host} was not resolved within {max(seconds, 0):.3g} s")
    if isinstance(answer := answers[0], Exception):
        raise answer
    return answer


def _found(host: str, port: int, flags: int = 0) -> list[Place]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, where) for family, _, _, _, where in found]
