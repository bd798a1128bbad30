from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator

import pytest

from lib.engine.answer.limits import Limits, bounded
from lib.engine.attach.duplex import Duplex, open_duplex
from lib.engine.errors import Conflict, LimitReached, NotFound, OutcomeUnknown, StreamCut, TlsRefused
from lib.engine.http.request_head import request_head
from tests.engine.attach.kinds import Kind
from tests.engine.scripted_peer import ABRUPTLY, Authority, read_all, read_request, talking
from tests.lab.waiting import DEADLINE

REQUEST = request_head("POST", "/v1.41/exec/1/start", [("Host", "docker"), ("Upgrade", "tcp")])
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
UPGRADED += b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
HIJACKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"


def conversation(kind: Kind, connect, timeout: float | None = 20, request: bytes = REQUEST) -> Duplex:
    return open_duplex(
        connect,
        request,
        method="POST",
        path="/exec/1/start",
        timeout=timeout,
        tls=kind.client,
        server_name="127.0.0.1",
    )


def frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxI", kind, len(payload)) + payload


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("answer", [UPGRADED, HIJACKED])
def test_input_goes_in_its_end_is_told_and_output_comes_out(kind, answer):
    def script(peer):
        assert read_request(peer) == REQUEST
        peer.sendall(answer)
        peer.sendall(frame(1, read_all(peer)))

    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        assert duplex.upgraded == (answer is UPGRADED)
        assert duplex.headers["content-type"] == "application/vnd.docker.raw-stream"
        assert list(duplex.frames([b"hello ", b"world"], tty=False)) == [("stdout", b"hello world")]
        assert duplex.input_taken


def test_an_input_without_a_byte_is_closed_at_once(kind):
    """fault 8.9: on every kind of connection, while output goes on."""

    def script(peer):
        read_request(peer)
        peer.sendall(UPGRADED)
        assert read_all(peer) == b""
        peer.sendall(frame(1, b"the end was seen"))

    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        assert list(duplex.frames((), tty=False)) == [("stdout", b"the end was seen")]
        assert duplex.input_taken


def test_a_connection_lost_without_any_input_is_cut(authority, tmp_path):
    """fault 8.9: a reset says that input was left unread only where there was some."""

    def script(peer):
        read_request(peer)
        peer.sendall(UPGRADED + frame(1, b"x"))
        assert read_all(peer) == b""
        reset(peer)
        return ABRUPTLY

    kind = Kind(str(tmp_path), authority)
    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        output = duplex.frames((), tty=False)
        assert next(output) == ("stdout", b"x")
        with pytest.raises(StreamCut):
            list(output)


def test_output_that_came_with_the_head_is_not_lost(kind):
    def script(peer):
        read_request(peer)
        peer.sendall(UPGRADED + frame(1, b"first") + frame(2, b"sec"))

    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        assert list(duplex.frames(tty=False)) == [("stdout", b"first"), ("stderr", b"sec")]


def test_pieces_can_be_sent_one_by_one(kind):
    def script(peer):
        read_request(peer)
        peer.sendall(UPGRADED)
        assert peer.recv(1) == b"a"
        peer.sendall(b"A")
        assert read_all(peer) == b"b"
        peer.sendall(b"B")

    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        output = duplex.chunks()
        duplex.send(b"a")
        assert next(output) == b"A"
        duplex.send(b"b")
        duplex.close_input()
        assert b"".join(output) == b"B"


def test_neither_side_waits_for_the_other_with_much_data_both_ways(kind):
    count = 400

    def script(peer):
        """Echoes: stops reading as soon as nobody takes what it writes."""
        read_request(peer)
        peer.sendall(UPGRADED)
        while piece := peer.recv(65536):
            peer.sendall(piece)
            peer.sendall(piece)

    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        duplex.pace(DEADLINE, DEADLINE)
        feed = (bytes([number % 256]) * 65536 for number in range(count))
        assert sum(len(chunk) for chunk in duplex.chunks(feed)) == 2 * count * 65536
        assert duplex.input_taken


def test_output_sent_while_the_input_is_closed_is_not_lost(kind):
    """What TLS libraries take for a fault: data on its way when our close_notify leaves."""
    size = 3_000_000

    def script(peer):
        read_request(peer)
        peer.sendall(UPGRADED + b"x" * size)
        peer.sendall(read_all(peer))

    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        assert b"".join(duplex.chunks([b"end"]))[-4:] == b"xend"


def test_a_process_that_ends_without_reading_its_input_is_told(kind):
    def script(peer):
        read_request(peer)
        peer.sendall(UPGRADED + b"bye")

    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        output = b"".join(duplex.chunks(b"x" * 65536 for _ in range(200)))
        assert not duplex.input_taken
        assert output in (b"bye", b"")  # TCP may take it back with its reset


def test_a_feed_that_breaks_is_the_feeds_own_error(kind):
    def feed() -> Iterator[bytes]:
        yield b"a"
        raise OSError("the attachment is gone")

    def script(peer):
        read_request(peer)
        peer.sendall(UPGRADED)
        assert read_all(peer) == b"a"

    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        output = duplex.chunks(feed())
        with pytest.raises(OSError, match="the attachment is gone"):
            list(output)


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (
            b'HTTP/1.1 404 Not Found\r\nContent-Length: 32\r\n\r\n{"message":"No such exec: 1234"}\n',
            NotFound,
            "No such exec: 1234",
        ),
        (
            b"HTTP/1.1 409 Conflict\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nis paused\r\n",
            Conflict,
            "is paused",
        ),
        (
            b"HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nis paused\r\n0\r\n\r\n",
            Conflict,
            "is paused",
        ),
        (b"HTTP/1.1 409 Conflict\r\nContent-Length: 100\r\n\r\nis paused", Conflict, "is paused"),
        (b"HTTP/1.1 409 Conflict\r\n\r\n", Conflict, "Conflict"),
    ],
    ids=["json", "plain text to the end", "chunked", "cut", "no text"],
)
def test_a_refusal_is_raised_with_the_engines_text(kind, answer, error, text):
    def script(peer):
        read_request(peer)
        peer.sendall(answer)

    with kind.talking(script) as connect, pytest.raises(error) as caught:
        conversation(kind, connect)
    assert caught.value.message == text
    assert (caught.value.method, caught.value.path) == ("POST", "/exec/1/start")


def test_an_answer_that_is_no_upgrade_is_read_by_its_length(kind):
    def script(peer):
        read_request(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
        read_all(peer)  # keeps the connection open: only the length says that it is over

    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        assert list(duplex.chunks()) == [b"OK"]


def test_an_engine_that_closes_without_an_answer_is_lost(kind):
    with kind.talking(read_request) as connect, pytest.raises(OutcomeUnknown):
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


def test_a_connection_that_is_reset_is_cut(authority, tmp_path):
    def script(peer):
        read_request(peer)
        peer.sendall(UPGRADED + b"x")
        assert peer.recv(1) == b"!"
        reset(peer)
        return ABRUPTLY

    kind = Kind(str(tmp_path), authority)
    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        output = duplex.chunks()
        assert next(output) == b"x"
        duplex.send(b"!")
        with pytest.raises(StreamCut, match="connection was lost"):
            next(output)


def test_an_end_without_tls_closing_is_cut(authority, tmp_path):
    """A clean end of TCP alone may be anybody's doing; an engine that is killed ends like that, too."""

    def script(peer):
        read_request(peer)
        peer.sendall(UPGRADED + b"x")
        return ABRUPTLY

    kind = Kind(str(tmp_path), authority)
    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        output = duplex.chunks()
        assert next(output) == b"x"
        with pytest.raises(StreamCut):
            next(output)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(idle_seconds=1), "idleSeconds"),
        (Limits(max_seconds=2, idle_seconds=60), "maxSeconds"),
        (Limits(max_items=1), "maxItems"),
    ],
)
def test_limits_end_a_silent_conversation(kind, limits, reason):
    gone = threading.Event()

    def script(peer):
        read_request(peer)
        peer.sendall(UPGRADED + frame(1, b"prompt> "))
        assert gone.wait(DEADLINE)

    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        output = bounded(duplex.frames(tty=False), limits, pace=duplex.pace)
        assert list(output) == [("stdout", b"prompt> ")]
        assert output.truncated == reason
        gone.set()


def test_time_is_kept_while_an_engine_takes_no_input(kind):
    gone = threading.Event()

    def script(peer):
        read_request(peer)
        peer.sendall(UPGRADED)
        assert gone.wait(DEADLINE)

    with kind.talking(script) as connect, conversation(kind, connect) as duplex:
        duplex.pace(0.2, None)
        with pytest.raises(LimitReached) as caught:
            list(duplex.chunks(b"x" * 65536 for _ in range(1000)))
        assert caught.value.limit == "idleSeconds"
        gone.set()


def test_a_certificate_of_an_unknown_authority_is_refused(authority, tmp_path):
    def script(peer):
        raise AssertionError("there must be no conversation")

    kind = Kind(str(tmp_path), authority)
    kind.client = Authority().client
    with pytest.raises(ssl.SSLError), kind.talking(script) as connect:
        assert "not trusted" in refused(kind, connect)


def test_a_missing_client_certificate_is_refused(authority, tmp_path):
    def script(peer):
        peer.recv(1)

    kind = Kind(str(tmp_path), authority)
    kind.server = authority.wants_clients()
    with pytest.raises(ssl.SSLError), kind.talking(script) as connect:
        assert "tlsCertificate" in refused(kind, connect)


def refused(kind: Kind, connect) -> str:
    with pytest.raises(TlsRefused) as caught:
        conversation(kind, connect)
    return str(caught.value)


def test_a_port_without_tls_is_said(authority, tmp_path):
    def script(peer):
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    kind = Kind(str(tmp_path), authority)
    with talking(script, str(tmp_path)) as connect:
        assert "No TLS connection" in refused(kind, connect)
