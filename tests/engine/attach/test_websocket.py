from __future__ import annotations

import base64
import hashlib
import re
import socket
import threading
from contextlib import suppress

import pytest

from lib.engine.answer.limits import Limits, bounded
from lib.engine.attach.websocket import WebSocket, open_websocket
from lib.engine.errors import BadInput, NotFound, OutcomeUnknown, Redirected, StreamCut, StreamFailed
from tests.engine.attach.kinds import Kind
from tests.engine.scripted_peer import ABRUPTLY, read_request
from tests.lab.waiting import DEADLINE, take

TARGET = "/v1.41/containers/c/attach/ws?stream=true&stdin=true"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10


def conversation(kind: Kind, connect, timeout: float | None = 20, headers=()) -> WebSocket:
    return open_websocket(
        connect,
        TARGET,
        headers,
        path="/containers/c/attach/ws",
        timeout=timeout,
        tls=kind.client,
        server_name="127.0.0.1",
    )


def shake_hands(peer: socket.socket) -> bytes:
    request = read_request(peer)
    key = re.search(rb"Sec-WebSocket-Key: (\S+)", request)[1]
    accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
    peer.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    return request


def frame(kind: int, payload: bytes = b"") -> bytes:
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2)
    return bytes([0x80 | kind]) + length + payload


def exactly(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = peer.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def heard(peer: socket.socket) -> tuple[int, bytes]:
    """The next frame of the client, which masks what it sends."""
    first, length = exactly(peer, 2)
    assert length & 0x80
    size = length & 0x7F
    if size == 126:
        size = int.from_bytes(exactly(peer, 2))
    elif size == 127:
        size = int.from_bytes(exactly(peer, 8))
    mask = exactly(peer, 4) * (size // 4 + 1)
    data = exactly(peer, size)
    return first & 0x0F, (int.from_bytes(data) ^ int.from_bytes(mask[:size])).to_bytes(size)


def test_input_goes_in_its_end_is_told_and_output_comes_out(kind):
    def script(peer):
        request = shake_hands(peer)
        assert request.startswith(f"GET {TARGET} HTTP/1.1\r\n".encode())
        assert b"Origin:" not in request
        assert heard(peer) == (BINARY, b"one")
        assert heard(peer) == (BINARY, b"two")
        assert heard(peer)[0] == CLOSE
        peer.sendall(frame(BINARY, b"after the close"))

    with kind.talking(script) as connect, conversation(kind, connect) as opened:
        assert opened.status == 101
        assert list(opened.frames([b"one", b"two"])) == [("stdout", b"after the close")]
        assert opened.input_taken


def test_output_without_input_needs_no_close(kind):
    def script(peer):
        shake_hands(peer)
        peer.sendall(frame(BINARY, b"a") + frame(PING, b"?") + frame(BINARY, b"b" * 5000))
        assert heard(peer) == (PONG, b"?")
        peer.sendall(frame(CLOSE, b"\x03\xe8"))

    with kind.talking(script) as connect, conversation(kind, connect) as opened:
        assert list(opened.chunks()) == [b"a", b"b" * 5000]


def test_a_message_in_several_frames_comes_as_they_come(kind):
    def script(peer):
        shake_hands(peer)
        peer.sendall(b"\x02\x01a" + b"\x80\x01b")

    with kind.talking(script) as connect, conversation(kind, connect) as opened:
        assert list(opened.chunks()) == [b"a", b"b"]


def test_neither_side_waits_for_the_other_with_much_data_both_ways(kind):
    count = 60

    def script(peer):
        """Echoes: stops reading as soon as nobody takes what it writes."""
        shake_hands(peer)
        while (message := heard(peer))[0] == BINARY:
            for at in range(0, len(message[1]), 32768):
                peer.sendall(frame(BINARY, message[1][at : at + 32768]) * 2)

    with kind.talking(script) as connect, conversation(kind, connect) as opened:
        opened.pace(DEADLINE, DEADLINE)
        feed = (bytes([number]) * 65536 for number in range(count))
        assert sum(len(chunk) for chunk in opened.chunks(feed)) == 2 * count * 65536
        assert opened.input_taken


def test_a_process_that_ends_without_reading_its_input_is_told(kind):
    def script(peer):
        shake_hands(peer)
        peer.sendall(frame(BINARY, b"bye"))

    with kind.talking(script) as connect, conversation(kind, connect) as opened:
        assert b"".join(opened.chunks(b"x" * 65536 for _ in range(200))) in (b"bye", b"")
        assert not opened.input_taken


def test_a_refusal_is_raised_with_the_engines_text(kind):
    def script(peer):
        read_request(peer)
        peer.sendall(
            b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
            b'Content-Length: 35\r\n\r\n{"message":"No such container: c"}\n'
        )

    with kind.talking(script) as connect, pytest.raises(NotFound) as caught:
        conversation(kind, connect)
    assert caught.value.message == "No such container: c"
    assert caught.value.path == "/containers/c/attach/ws"


def test_an_answer_that_is_no_websocket_is_lost(kind):
    def script(peer):
        read_request(peer)
        peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\n\r\n")

    with kind.talking(script) as connect, pytest.raises(OutcomeUnknown):
        conversation(kind, connect)


def test_an_engine_that_does_not_answer_in_time_is_too_slow(kind):
    gone = threading.Event()

    def script(peer):
        read_request(peer)
        assert gone.wait(DEADLINE)

    with kind.talking(script) as connect:
        with pytest.raises(OutcomeUnknown, match="in time"):
            conversation(kind, connect, timeout=0.2)
        gone.set()


def test_a_redirection_leads_nowhere(kind):
    def script(peer):
        read_request(peer)
        peer.sendall(b"HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    with (
        kind.talking(script) as connect,
        pytest.raises(Redirected, match=r"redirection to ws://127\.0\.0\.1:1/"),
    ):
        conversation(kind, connect)


def test_limits_end_a_silent_conversation(kind):
    said, gone = threading.Event(), threading.Event()

    def script(peer):
        shake_hands(peer)
        peer.sendall(frame(BINARY, b"prompt> "))
        said.set()
        assert gone.wait(DEADLINE)

    with kind.talking(script) as connect, conversation(kind, connect) as opened:
        assert said.wait(DEADLINE)
        output = bounded(opened.chunks(), Limits(idle_seconds=1), pace=opened.pace)
        assert list(output) == [b"prompt> "]
        assert output.truncated == "idleSeconds"
        gone.set()


def test_an_end_without_tls_closing_is_cut(authority, tmp_path):
    def script(peer):
        shake_hands(peer)
        peer.sendall(frame(BINARY, b"x"))
        return ABRUPTLY

    kind = Kind(str(tmp_path), authority)
    with kind.talking(script) as connect, conversation(kind, connect) as opened:
        output = opened.chunks()
        assert next(output) == b"x"
        with pytest.raises(StreamCut):
            next(output)


@pytest.mark.parametrize(
    "cut",
    [
        b"\x82",
        b"\x82\x7f\0\0",
        frame(BINARY, b"abc")[:-1],
        b"\x02\x01a",
        frame(BINARY, b"x") + frame(PING, b"?")[:-1],
        b"\x02\x01a" + frame(CLOSE),
    ],
    ids=["first byte", "length", "payload", "between fragments", "ping", "closed between fragments"],
)
def test_a_cut_inside_a_frame_or_message_is_no_end(kind, cut):
    """fault 8.10."""

    def script(peer):
        shake_hands(peer)
        peer.sendall(frame(BINARY, b"whole") + cut)

    with kind.talking(script) as connect, conversation(kind, connect) as opened:
        output = opened.chunks()
        assert next(output) == b"whole"
        with pytest.raises(StreamCut):
            list(output)


@pytest.mark.parametrize("code", [1001, 1011, 1012, 1013, 4000])
def test_a_close_that_tells_a_fault_is_no_end(kind, code):
    """fault 8.10: a proxy or engine that goes down says so, and it counted as the end of the output."""

    def script(peer):
        shake_hands(peer)
        peer.sendall(frame(BINARY, b"whole") + frame(CLOSE, code.to_bytes(2) + b"restarting"))

    with kind.talking(script) as connect, conversation(kind, connect) as opened:
        output = opened.chunks()
        assert next(output) == b"whole"
        with pytest.raises(StreamCut, match=f"closed with {code}"):
            list(output)


@pytest.mark.parametrize("payload", [b"", (1000).to_bytes(2), (1000).to_bytes(2) + b"bye"])
def test_a_close_without_a_fault_is_an_end(kind, payload):
    def script(peer):
        shake_hands(peer)
        peer.sendall(frame(BINARY, b"whole") + frame(CLOSE, payload))

    with kind.talking(script) as connect, conversation(kind, connect) as opened:
        assert list(opened.chunks()) == [b"whole"]


def test_an_end_behind_a_ping_is_an_end(kind):
    def script(peer):
        shake_hands(peer)
        peer.sendall(frame(BINARY, b"whole") + frame(PING, b"?"))
        assert heard(peer) == (PONG, b"?")

    with kind.talking(script) as connect, conversation(kind, connect) as opened:
        assert list(opened.chunks()) == [b"whole"]


def test_a_frame_of_a_terabyte_is_refused_at_its_limit(kind):
    """fault 8.18."""

    def script(peer):
        shake_hands(peer)
        peer.sendall(b"\x82\x7f" + (1 << 40).to_bytes(8))
        with suppress(OSError):
            while True:
                peer.sendall(b"x" * 65536)
        return ABRUPTLY

    with kind.talking(script) as connect:
        opened = conversation(kind, connect)
        with pytest.raises(StreamFailed, match="longer than"):
            list(opened.chunks())
        opened.close()


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 101 Sw", b"HTTP/1.1 102 Processing\r\n\r\n"], ids=["slow", "flood"]
)
def test_a_head_that_comes_slowly_ends_in_time(kind, head):
    """fault 8.19: each part comes within the limit, the head does not."""
    gone = threading.Event()

    def script(peer):
        read_request(peer)
        with suppress(OSError):
            while not gone.is_set():
                take(0.01)
                peer.sendall(head)
        return ABRUPTLY

    with kind.talking(script) as connect:
        with pytest.raises(OutcomeUnknown, match="in time"):
            conversation(kind, connect, timeout=0.5)
        gone.set()


def test_a_value_cannot_begin_another_header(kind):
    def never():
        raise AssertionError("there must be no connection")

    with pytest.raises(BadInput, match="line breaks"):
        conversation(kind, never, headers=[("Authorization", "Basic x\r\nX: y")])
