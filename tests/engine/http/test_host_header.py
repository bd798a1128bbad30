"""Every request names the same host."""

from __future__ import annotations

import socket

import pytest

from lib.engine import Endpoint, Engine
from lib.engine.errors import (
    NotFound,
)
from tests.engine.calls import (
    CALLS,
    ONCE,
)
from tests.engine.scripted import answer
from tests.lab.at_once import beside


@pytest.mark.parametrize("url", ["http://[::1]", "http://127.0.0.1"])
@pytest.mark.parametrize("name", ["get", "upgrade", "websocket"])
def test_every_request_names_the_same_host(url: str, name: str) -> None:
    """fault 8.28: with its port, and brackets around an IPv6 address."""
    if url.endswith("]") and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    heads: list[bytes] = []
    door = socket.socket(socket.AF_INET6 if "[" in url else socket.AF_INET)
    with door:
        door.bind(("::1" if "[" in url else "127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]

        def serve() -> None:
            peer = door.accept()[0]
            with peer:
                data = b""
                while b"\r\n\r\n" not in data:
                    data += peer.recv(65536)
                heads.append(data)
                peer.sendall(answer(b"no", "404 Not Found"))

        serving = beside(serve)
        with Engine(Endpoint.parse(f"{url}:{port}/v1.41"), retry=ONCE, pin="1.41") as engine:
            engine.negotiation._version = engine.negotiation.pin
            with pytest.raises(NotFound):
                CALLS[name](engine)
        serving.result()
    assert f"\r\nHost: {url.removeprefix('http://')}:{port}\r\n".encode() in heads[0]


def _has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as sock:
        try:
            sock.bind(("::1", 0))
        except OSError:
            return False
    return True
