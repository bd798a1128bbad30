"""A connection that one thread uses in both directions at once: plain or TLS, with a half-close that works.

TLS goes through memory buffers instead of an SSL socket for one reason: `SSLSocket.unwrap` ends the whole session,
while an engine needs only our close_notify to end a process's stdin, and goes on sending.

A Wire does single steps that never wait. DuplexSocket repeats them and waits in between, under one deadline.
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
# Bytes of a TLS record at most: few bytes should wait until the socket accepts them.
_TLS_PIECE = 16384
# Bytes that may wait unread while we write. Above it we read no more, so the peer has to wait.
_HELD = 8 << 20


class Wire(Protocol):
    """A plain or TLS transport of bytes. Each method does one step and never waits."""

    def receive(self) -> bytes | None:
        """Return the bytes that are there, None if there are none, b"" at the end."""

    def send(self, data: memoryview) -> int:
        """Take as many bytes as possible now and return their number."""

    def flush(self) -> bool:
        """Send what was taken; return whether all of it is sent."""

    def end(self) -> None:
        """Tell the peer that nothing more comes from us (half-close)."""


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

    @property
    def protocol(self) -> str:
        """What was agreed on by ALPN, "" for nothing."""
        return self._tls.selected_alpn_protocol() or ""

    def shake_hands(self) -> bool:
        """Do the handshake as far as possible now; return True once it is done."""
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
        with suppress(BrokenPipeError, ConnectionResetError):  # a peer that closed has sent its reason before
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
        self.flush()  # at once: the next piece may come much later
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
        # First read all records: OpenSSL treats data after our close_notify as an error.
        while data := self._decrypt():
            self._decrypted.append(data)
        if data == b"":
            self._decrypted.append(b"")
            return
        with suppress(ssl.SSLWantReadError):  # our close_notify is written; the peer's comes last
            self._tls.unwrap()
        self.flush()


class DuplexSocket:
    """A connection that waits for data and for room at once, and never longer than its deadline.

    The deadline is a moment: data that arrives in small parts does not extend it. The methods raise OSError, of which
    TimeoutError means that the deadline has passed.
    """

    def __init__(self, sock: socket.socket, timeout: float | None) -> None:
        sock.settimeout(0)
        self._sock = sock
        self.set_timeout(timeout)
        self._wire: Wire = PlainWire(sock)
        self._held: deque[bytes] = deque()
        self._held_size = 0
        self._ended = False
        self.protocol = ""
        """What TLS agreed on by ALPN, "" for nothing."""
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def secure(self, context: ssl.SSLContext, server_name: str) -> None:
        """Do the TLS handshake; raises ssl.SSLError, OSError."""
        wire = TlsWire(self._sock, context, server_name)
        while not wire.shake_hands():
            self._wait(writing=not wire.flush())
        self._wire = wire
        self.protocol = wire.protocol

    def set_timeout(self, seconds: float | None) -> None:
        """Set the deadline to `seconds` from now (None: no deadline); waiting longer raises TimeoutError."""
        self.timeout = seconds
        self._until = None if seconds is None else time.monotonic() + seconds

    def read(self) -> bytes:
        """Wait for the next bytes and return them, b"" at the end; raises OSError."""
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
            return True  # the peer takes nothing any more, but there may be bytes to read

    def receive(self) -> bool:
        """Take in what is there, without waiting; return whether there is something to read, or the end."""
        if not self._ended and self._held_size < _HELD:
            data = self._wire.receive()
            if data is not None:
                self._ended = not data
                self._held_size += len(data)
                if data:
                    self._held.append(data)
        return bool(self._held) or self._ended

    def push_back(self, data: bytes) -> None:
        """Put back bytes that were read too far."""
        if data:
            self._held.appendleft(data)
            self._held_size += len(data)

    def send(self, data: memoryview) -> int:
        """Send what is possible and return its size; if that is 0 and nothing can be read, wait for either."""
        sent = self._wire.send(data)
        if not sent and not self.receive():
            self._wait(writing=True)
        return sent

    def write(self, data: bytes) -> None:
        """Send all of `data`; what arrives meanwhile is kept for `read`. Raises OSError."""
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
        """Tell the peer that no more comes from us; it can go on sending."""
        self._wire.end()
        while not self._wire.flush():
            self.receive()
            self._wait(writing=True)

    def _wait(self, *, writing: bool) -> None:
        """Wait for something to read and, with `writing`, for room to write."""
        reading = not self._ended and self._held_size < _HELD
        events = (select.POLLIN if reading else 0) | (select.POLLOUT if writing else 0)
        self._poll.modify(self._sock, events)
        milliseconds = None if self._until is None else max(self._until - time.monotonic(), 0) * 1000
        if not self._poll.poll(milliseconds):
            raise TimeoutError("nothing was sent or received in time")

    def shut_down(self) -> None:
        """End both directions, so that another thread that waits here is woken; it has to close."""
        with suppress(OSError):  # the other thread may have closed it
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection."""
        self._sock.close()


def open_link(
    connect: Callable[[], socket.socket], timeout: float | None, tls: ssl.SSLContext | None, server_name: str
) -> DuplexSocket:
    """Connect, and do the TLS handshake if `tls` is given; raises what `connect` raises, TlsRefused, Unreachable."""
    link = DuplexSocket(connect(), timeout)
    if tls is None:
        return link
    try:
        link.secure(tls, server_name)
    except OSError as fault:
        link.close()
        raise handshake_failed(fault, "the engine") from fault
    return link
