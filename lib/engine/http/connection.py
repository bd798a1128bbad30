"""One connection to an engine: a socket and a buffer, for one request after the other.

The socket never blocks, and `poll` waits: a socket with a timeout of its own would make twice as many system calls.
"""

from __future__ import annotations

import select
import socket
import ssl
import time

from lib.engine.http.reader import Reader

BUFFER = 65536
NEVER = float("inf")


class Connection:
    """Sends requests and feeds answers to a Reader. Raises OSError, and Malformed from the reader.

    `until` is a moment of `time.monotonic`; TimeoutError is raised when it passes.
    """

    __slots__ = ("_buffer", "_poll", "_tls", "sock")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._tls = sock if isinstance(sock, ssl.SSLSocket) else None
        self._buffer = memoryview(bytearray(BUFFER))
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def send(self, data: bytes, until: float) -> None:
        """Send a small request to its end."""
        sent = self._sent(data, until)
        while sent < len(data):
            data = data[sent:]
            sent = self._sent(data, until)

    def _sent(self, data: bytes | memoryview, until: float, events: int = 0) -> int:
        """Return how many bytes were sent; before it returns 0, it waits for room or for one of `events`."""
        try:
            return self.sock.send(data)
        except ssl.SSLWantReadError:
            self._wait(select.POLLIN, until)
        except (BlockingIOError, ssl.SSLWantWriteError):
            self._wait(select.POLLOUT | events, until)
        return 0

    def hear(self, reader: Reader, until: float) -> None:
        """Wait for the next bytes, or for the end of the connection, and pass them to the reader."""
        while True:
            if self._tls is None or not self._tls.pending():
                left = None if until == NEVER else (until - time.monotonic()) * 1000
                if (left is not None and left <= 0) or not self._poll.poll(left):
                    raise TimeoutError
            try:
                size = self.sock.recv_into(self._buffer)
                break
            except (BlockingIOError, ssl.SSLWantReadError):
                continue  # a part of a TLS record, or a TLS message without data
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, until)
        if size:
            reader.feed(self._buffer[:size])
        else:
            reader.end()

    def push(self, piece: bytes, reader: Reader, until: float) -> bool:
        """Send a piece of an upload; return False once the engine takes no more of it.

        An engine that refuses answers early, and may close the connection or stop reading. So this looks for an answer
        before each piece, and while there is no room to send. A 2xx answer does not end the upload.
        """
        view = memoryview(piece)
        while view:
            if self._refused(reader):
                return False
            try:
                view = view[self._sent(view, until, 0 if reader.status else select.POLLIN) :]
            except TimeoutError:
                raise
            except OSError:
                return False  # closed: the engine's answer may still be unread
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

    def silent(self) -> bool:
        """Whether a kept connection is usable: bytes to read would be its end, or something that nobody asked for."""
        if self._tls is not None and self._tls.pending():
            return False
        return not self._poll.poll(0)

    def close(self) -> None:
        """End the connection."""
        self.sock.close()
