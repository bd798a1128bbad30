"""One connection to an engine: a socket, a buffer, one request after the other."""

from __future__ import annotations

import select
import socket
import ssl
import time

from lib.engine.http.reader import Reader

BUFFER = 65536
NEVER = float("inf")


class Connection:
    """Sends requests and feeds a Reader. Time limits are moments of `time.monotonic`; raises OSError, Malformed."""

    __slots__ = ("_buffer", "_poll", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = memoryview(bytearray(BUFFER))
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def send(self, data: bytes, until: float) -> None:
        """Send all of a small request."""
        self._limit(until)
        self.sock.sendall(data)

    def hear(self, reader: Reader, until: float) -> None:
        """Wait for the next bytes and feed them to the reader."""
        self._limit(until)
        size = self.sock.recv_into(self._buffer)
        if size:
            reader.feed(self._buffer[:size])
        else:
            reader.end()

    def push(self, piece: bytes, reader: Reader, until: float) -> bool:
        """Send a piece of an upload; False once the engine takes no more of it.

        An engine that refuses early answers, and may close or just stop reading: so the answer is looked for
        before each piece and while there is no room to send. An answer of 2xx goes along with the upload.
        """
        self.sock.settimeout(0)
        view = memoryview(piece)
        while view:
            if self._refused(reader):
                return False
            try:
                view = view[self.sock.send(view) :]
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, until)
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT | (0 if reader.status else select.POLLIN), until)
            except OSError:
                return False  # closed: what the engine says about it is still to be read
        return True

    def _refused(self, reader: Reader) -> bool:
        if not reader.status and self._poll.poll(0):
            try:
                size = self.sock.recv_into(self._buffer)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            except OSError:
                return True
            if not size:
                return True
            reader.feed(self._buffer[:size])
        return reader.status >= 300  # noqa: PLR2004

    def _wait(self, events: int, until: float) -> None:
        self._poll.modify(self.sock, events)
        try:
            if not self._poll.poll(None if until == NEVER else max(until - time.monotonic(), 0) * 1000):
                raise TimeoutError
        finally:
            self._poll.modify(self.sock, select.POLLIN)

    def _limit(self, until: float) -> None:
        if until == NEVER:
            self.sock.settimeout(None)
            return
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)

    def silent(self) -> bool:
        """Whether a kept connection is still open: nothing to read means neither an end nor anything unasked."""
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return False
        return not self._poll.poll(0)

    def close(self) -> None:
        """End the connection."""
        self.sock.close()
