"""HTTP/2 over TLS: begun where both sides agree on it, and given up where they do not."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from lib.engine.attach.http2 import PROTOCOLS, open_http2
from lib.engine.errors import NotSupported
from tests.engine.scripted_peer import Authority, talking
from tests.lab.waiting import DEADLINE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\4\0\0\0\0\0"


def answers(peer: socket.socket) -> None:
    if peer.recv(65_536):
        peer.sendall(SETTINGS + b"more")


def test_it_is_begun_where_the_engine_agrees(tmp_path: Path) -> None:
    authority = Authority()
    authority.server.set_alpn_protocols(["h2", "http/1.1"])
    authority.client.set_alpn_protocols(list(PROTOCOLS))
    with (
        talking(answers, str(tmp_path), authority.server) as connect,
        open_http2(connect, PREFACE, timeout=DEADLINE, tls=authority.client, server_name="127.0.0.1") as link,
    ):
        assert b"".join(link.chunks()) == SETTINGS + b"more"


@pytest.mark.parametrize(
    "known", [[], ["http/1.1"], ["http/1.1", "h2"]], ids=["nothing", "HTTP/1.1", "HTTP/1.1 rather"]
)
def test_it_is_given_up_where_tls_does_not_agree(tmp_path: Path, known: list[str]) -> None:
    authority = Authority()
    if known:
        authority.server.set_alpn_protocols(known)
    authority.client.set_alpn_protocols(list(PROTOCOLS))
    with (
        talking(answers, str(tmp_path), authority.server) as connect,
        pytest.raises(NotSupported, match="does not speak HTTP/2: TLS did not agree on it"),
    ):
        open_http2(connect, PREFACE, timeout=DEADLINE, tls=authority.client, server_name="127.0.0.1")
