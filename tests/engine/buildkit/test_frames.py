"""Frames of HTTP/2 in any order, as no engine sends them: both ends of a session take them, or end it."""

from __future__ import annotations

from contextlib import suppress

from hpack import Encoder
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.buildkit.calls import BrokenSessionError, Methods
from lib.engine.buildkit.rpc_client import RpcClient
from lib.engine.buildkit.rpc_server import RpcServer
from lib.engine.buildkit.services import Asked, auth, health, secrets
from lib.engine.buildkit.ssh_agent import ssh
from lib.engine.protobuf import message
from tests.engine.buildkit.test_http2 import FIRST, frame
from tests.engine.chunkings import many

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
ASKED = message((1, "token"))
METHODS: Methods = {
    **health(),
    **auth({}, Asked()),
    **secrets({"token": b"x" * 90_000}, Asked()),
    **ssh({}),
}


def head(path: str, *more: tuple[str, str]) -> bytes:
    named = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "a"), *more]
    return bytes(Encoder().encode(named))


streams = st.sampled_from([0, 1, 1, 1, 3, 5, 2, 2**31 - 1])
flags = st.sampled_from([0, 1, 4, 5, 8, 0x25, 255])
payloads = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([*map(head, METHODS), head("/x"), head("/x", ("grpc-status", "9" * 20), ("te", "ä"))]),
    st.sampled_from([b"\0" + len(ASKED).to_bytes(4, "big") + ASKED, b"\0\xff\xff\xff\xff", b"\1\0\0\0\1x"]),
    st.sampled_from([bytes(4), bytes(8), b"\x7f\xff\xff\xff", b"\0\4\0\0\0\0", b"\0\1\xff\xff\xff\xff"]),
)
frames = st.builds(
    lambda kind, payload, bits, stream: frame(kind, payload, flags=bits, stream=stream),
    st.sampled_from([0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 200]),
    payloads,
    flags,
    streams,
)


@many
@given(st.lists(frames, max_size=12))
def test_what_serves_a_session_takes_any_frames_or_ends_it(given_: list[bytes]) -> None:
    server = RpcServer(METHODS)
    server.start()
    with suppress(BrokenSessionError):
        server.feed(PREFACE + FIRST)
        for one in given_:
            server.feed(one)
    server.cut()


@many
@given(st.lists(frames, max_size=12))
def test_what_asks_takes_any_frames_or_ends_it(given_: list[bytes]) -> None:
    client = RpcClient()
    call = client.call("/x")
    client.send(call, b"request")
    client.end(call)
    client.data()
    with suppress(BrokenSessionError):
        for one in [FIRST, *given_]:
            for _ in client.feed(one):
                client.data()
