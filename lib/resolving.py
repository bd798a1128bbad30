"""Where a host can be reached, found out within a limit of time: the system's resolver may take minutes.

Nothing can end a look-up that is under way. It goes on on a thread of its own, whose answer nobody takes any more;
addresses are not looked up and need no thread.
"""

from __future__ import annotations

import socket
import threading
from typing import Any

Place = tuple[socket.AddressFamily, Any]
"""Family and address as `socket.connect` takes it."""


class NotResolvedInTime(TimeoutError):
    """The resolver had no answer within the limit; the text names both."""


def places(host: str, port: int, seconds: float) -> list[Place]:
    """Return where a host can be reached, in the order in which it is to be tried; there is at least one place.

    Raises NotResolvedInTime after so many seconds, OSError when the host is unknown, ValueError for what is no name.
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
