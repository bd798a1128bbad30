"""A connection used in both directions at once by one thread: plain or TLS, with a half-close that works.

TLS goes through memory buffers instead of an SSL socket for one reason: `SSLSocket.unwrap` ends the whole
session, while an engine needs only our own close_notify to end a process's stdin and goes on sending.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from lib.engine.http.connect import handshake_failed

_PIECE = 65536
# A record holds no more; what is not accepted by the socket yet should be little.
_TLS_PIECE = 16384
# How much may wait unread while we write; then the peer has to wait for its reader, as with any pipe.
_HELD = 8 << 20


class Wire(Protocol):
    """One direction-independent step each, none of which waits."""

    def receive(self) -> bytes | None:
        """Return what is there, None if nothing is, b"" at the end."""

    def send(self, data: memoryview) -> int:
        """Take as much as goes now and return how much that was."""

    def flush(self) -> bool:
        """Push out what was taken; say whether all of it is out."""

    def end(self) -> None:
        """Tell the peer that nothing more comes from us."""


class PlainWire:
    """A unix or TCP socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def receive(self) -> bytes | None:
        try:
            return self._sock.recv(_PIECE)
        except BlockingIOError:
            return None

    def send(self, data: memoryview) -> int:
        try:
            return self._sock.send(data[:_PIECE])
        except BlockingIOError:
            return 0

    def flush(self) -> bool:
        return True

    def end(self) -> None:
        self._sock.shutdown(socket.SHUT_WR)


class TlsWire:
    """TLS over a TCP socket."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, server_name: str) -> None:
        self._plain = PlainWire(sock)
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=server_name)
        self._pending = memoryview(b"")
        self._decrypted: deque[bytes] = deque()

    def shake_hands(self) -> bool:
        """Take the handshake as far as it goes now; True once it is done."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush_handshake()
                if self._feed() is None:
                    return False
            except ssl.SSLError:
                self._flush_handshake()  # the alert that says why it failed
                raise
            else:
                self.flush()
                return True

    def _flush_handshake(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # who closed has said why before
            self.flush()

    def receive(self) -> bytes | None:
        if self._decrypted:
            return self._decrypted.popleft()
        while (data := self._decrypt()) is None:
            if self._feed() is None:
                return None
        return data

    def _decrypt(self) -> bytes | None:
        try:
            return self._tls.read(_PIECE)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:  # the peer's close_notify after ours
            return b""

    def _feed(self) -> int | None:
        data = self._plain.receive()
        if data is None:
            return None
        if data:
            return self._arrived.write(data)
        self._arrived.write_eof()
        return 0

    def send(self, data: memoryview) -> int:
        if not self.flush():
            return 0
        taken = self._tls.write(data[:_TLS_PIECE])
        self.flush()  # now, since the next piece may be long in coming
        return taken

    def flush(self) -> bool:
        while self._pending or self._leaving.pending:
            if not self._pending:
                self._pending = memoryview(self._leaving.read())
            sent = self._plain.send(self._pending)
            if not sent:
                return False
            self._pending = self._pending[sent:]
        return True

    def end(self) -> None:
        # With a whole record unread, OpenSSL takes it for a fault that data follows our close_notify.
        while data := self._decrypt():
            self._decrypted.append(data)
        if data == b"":
            self._decrypted.append(b"")
            return
        with suppress(ssl.SSLWantReadError):  # ours is on its way; the peer's, which it wants, comes last
            self._tls.unwrap()
        self.flush()


class DuplexSocket:
    """A connection that waits for data and for room at once, and never longer than the time limit.

    The limit is a moment: what arrives in small parts does not extend it.
    """

    def __init__(self, sock: socket.socket, timeout: float | None) -> None:
        sock.settimeout(0)
        self._sock = sock
        self.set_timeout(timeout)
        self._wire: Wire = PlainWire(sock)
        self._held: deque[bytes] = deque()
        self._held_size = 0
        self._ended = False
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def secure(self, context: ssl.SSLContext, server_name: str) -> None:
        """Begin TLS; raises ssl.SSLError, OSError."""
        wire = TlsWire(self._sock, context, server_name)
        while not wire.shake_hands():
            self._wait(writing=not wire.flush())
        self._wire = wire

    def set_timeout(self, seconds: float | None) -> None:
        """Limit all waiting from now on to `seconds`; what takes longer raises TimeoutError."""
        self.timeout = seconds
        self._until = None if seconds is None else time.monotonic() + seconds

    def read(self) -> bytes:
        """Return the next bytes, b"" at the end; raises OSError."""
        while not self._held:
            flushed = self._flushed()
            if self.receive():
                break
            self._wait(writing=not flushed)
        data = self._held.popleft() if self._held else b""
        self._held_size -= len(data)
        return data

    def _flushed(self) -> bool:
        try:
            return self._wire.flush()
        except (BrokenPipeError, ConnectionResetError):
            return True  # nobody takes it any more; there may be something to read all the same

    def receive(self) -> bool:
        """Take in what is there; say whether there is something to read, be it the end."""
        if not self._ended and self._held_size < _HELD:
            data = self._wire.receive()
            if data is not None:
                self._ended = not data
                self._held_size += len(data)
                if data:
                    self._held.append(data)
        return bool(self._held) or self._ended

    def push_back(self, data: bytes) -> None:
        """Give back what was read too far."""
        if data:
            self._held.appendleft(data)
            self._held_size += len(data)

    def send(self, data: memoryview) -> int:
        """Wait until something can be sent or read; return how much was sent."""
        sent = self._wire.send(data)
        if not sent and not self.receive():
            self._wait(writing=True)
        return sent

    def write(self, data: bytes) -> None:
        """Send all of it, holding what arrives meanwhile; raises OSError."""
        view = memoryview(data)
        while view:
            sent = self._wire.send(view)
            view = view[sent:]
            if not sent:
                self.receive()
                self._wait(writing=True)
        while not self._wire.flush():
            self._wait(writing=True)

    def end_writing(self) -> None:
        """Tell the peer that no more comes; it can go on sending."""
        self._wire.end()
        while not self._wire.flush():
            self.receive()
            self._wait(writing=True)

    def _wait(self, *, writing: bool) -> None:
        """Wait for something to read, or for room if there is something to write."""
        reading = not self._ended and self._held_size < _HELD
        events = (select.POLLIN if reading else 0) | (select.POLLOUT if writing else 0)
        self._poll.modify(self._sock, events)
        milliseconds = None if self._until is None else max(self._until - time.monotonic(), 0) * 1000
        if not self._poll.poll(milliseconds):
            raise TimeoutError("nothing was sent or received in time")

    def close(self) -> None:
        """End the connection."""
        self._sock.close()


def open_link(
    connect: Callable[[], socket.socket], timeout: float | None, tls: ssl.SSLContext | None, server_name: str
) -> DuplexSocket:
    """Connect, and begin TLS where `tls` is given; raises what `connect` raises, TlsRefused and Unreachable."""
    link = DuplexSocket(connect(), timeout)
    if tls is None:
        return link
    try:
        link.secure(tls, server_name)
    except OSError as fault:
        link.close()
        raise handshake_failed(fault, "the engine") from fault
    return link
