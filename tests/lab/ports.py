"""Ports for services that must come back on the same one after a restart."""

from __future__ import annotations

import random
import socket

# Below the range that the kernel takes the ports of outgoing connections from.
RANGE = range(20000, 32000)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on just now."""
    found: list[int] = []
    for port in random.sample(RANGE, len(RANGE)):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        found.append(port)
        if len(found) == count:
            return found
    raise OSError("no free ports on the loopback")
