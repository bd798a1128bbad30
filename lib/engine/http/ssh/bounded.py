"""Bounds what an SSH server may send and how long it may take, where the SSH library has no limit.

Until the login is over, all that comes is hostile: `Guard` counts its bytes and looks at the clock. After it, the
length of a packet is bounded (`BoundedPacketizer`), and what a channel holds unread: `lib/engine/http/ssh/channels.py`.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from paramiko.packet import Packetizer
from paramiko.ssh_exception import SSHException

LOGIN_BYTES = 512 * 1024
"""Bytes that a server may send up to the end of the login; the lists of algorithms and keys have some thousand."""
BANNER_BYTES = 8192
"""Bytes of a line before the version of the server, as OpenSSH's own client reads at most."""
_LOOK = 1.0
"""Seconds after which the thread of a silent connection looks whether a keep-alive is due; the library has 0.1."""
PACKET_BYTES = 256 * 1024
"""Bytes of one packet, as with OpenSSH; the packets of a channel have 32 KiB and a little."""


class Guard:
    """The TCP socket below SSH. Until `lift`, it gives at most LOGIN_BYTES, and nothing after `seconds`.

    `late` says that the time was over, `began` that the server has sent something, `ended` that it has ended.
    """

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self.late = self.began = self.ended = False
        self._sock = sock
        self._until: float | None = time.monotonic() + seconds
        self._left = LOGIN_BYTES
        self._closed = False  # the SSH library asks for it by this name

    def recv(self, size: int) -> bytes:
        """Return up to `size` bytes, b"" at the end. Raises TimeoutError for the library, and SSHException."""
        if self._until is None:
            return self._sock.recv(size)
        if time.monotonic() >= self._until:
            self.late = True
            raise SSHException("the time for the login is over")
        if not self._left:
            raise SSHException(f"the server sent more than {LOGIN_BYTES} bytes before the login")
        try:
            data = self._sock.recv(min(size, self._left))
        except TimeoutError:
            raise
        except OSError:  # a reset
            self.ended = True
            raise
        self._left -= len(data)
        self.began = self.began or bool(data)
        self.ended = not data
        return data

    def send(self, data: bytes) -> int:
        return self._sock.send(data)

    def settimeout(self, seconds: float | None) -> None:
        self._sock.settimeout(seconds)

    def lift(self) -> None:
        """The login is over: from here on, time limits are those of the calls."""
        self._until = None
        self._sock.settimeout(_LOOK)

    def close(self) -> None:
        """End the connection, also under the thread that reads it."""
        self._closed = True
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


class BoundedPacketizer(Packetizer):  # type: ignore[misc] # the library has no types
    """Reads packets and lines of bounded length."""

    def start_handshake(self, timeout: float) -> None:
        """Start no timer, whose thread would outlive a failed login: the Guard has the time."""

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        if n > PACKET_BYTES:
            raise SSHException(f"the server announces a packet of {n} bytes")
        data: bytes = super().read_all(n, check_rekey)
        return data

    def readline(self, timeout: float) -> str:  # noqa: ARG002 - the Guard has the time
        """Return the next line before the keys are exchanged."""
        line = b""
        while not line.endswith(b"\n"):
            if len(line) >= BANNER_BYTES:
                raise SSHException(f"the server sent {BANNER_BYTES} bytes without an end of the line")
            line += self.read_all(1)
        return line.rstrip(b"\r\n").decode("ascii", "backslashreplace")
