"""Makes a socket of a channel: one end of a pair of sockets, whose other end is connected with the channel.

The client waits with `poll`, sets limits and closes one direction as with any socket, which a channel cannot do. Two
threads for each channel carry the bytes; each holds one piece, so that the window of the channel and the buffers of the
pair are all that is in memory.

    client | ChannelSocket ... other end | threads | channel ... server ... engine's socket

Ends are passed on as they come: closing one direction, closing both, and the loss of the SSH connection, which the
client sees as an error and not as the end of the answer.
"""

from __future__ import annotations

import errno
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from paramiko.ssh_exception import SSHException

from lib.engine.http.ssh.channels import BoundedChannel

_PIECE = 256 * 1024
_LOOK = 5.0
"""Seconds after which a thread that waits for the server looks whether the client is still there."""
_FAULTS = (OSError, EOFError, SSHException)


class ChannelSocket(socket.socket):
    """The client's end. Its reads raise ConnectionAbortedError where the SSH connection was lost."""

    def __init__(self, end: socket.socket, lost: list[str]) -> None:
        super().__init__(end.family, end.type, end.proto, fileno=end.detach())
        self._lost = lost

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        data = super().recv(size, flags)
        if not data:
            self._check()
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0, /) -> int:
        size = super().recv_into(buffer, nbytes, flags)
        if not size:
            self._check()
        return size

    def _check(self) -> None:
        if self._lost:
            raise ConnectionAbortedError(errno.ECONNABORTED, self._lost[0])


def tunnel(channel: BoundedChannel, server: str, ended: Callable[[], None]) -> ChannelSocket:
    """Return a connected socket; `ended` is called when the channel is closed. `server` is named in errors."""
    near, far = socket.socketpair()
    lost: list[str] = []
    channel.settimeout(_LOOK)
    carrier = _Carrier(channel, far, lost, f"the SSH connection to {server} ended")
    end = ChannelSocket(near, lost)
    threading.Thread(target=carrier.carry, args=(ended,), name="ssh channel", daemon=True).start()
    return end


class _Carrier:
    """Carries bytes between a channel and our end of the pair, until both directions have ended."""

    def __init__(self, channel: BoundedChannel, far: socket.socket, lost: list[str], why: str) -> None:
        self._channel, self._far, self._lost, self._why = channel, far, lost, why
        self._gone = select.poll()
        self._gone.register(
            far, 0
        )  # POLLHUP is told in any case: the client has closed, or both directions ended

    def carry(self, ended: Callable[[], None]) -> None:
        back = threading.Thread(target=self._inwards, name="ssh channel, inwards", daemon=True)
        back.start()
        try:
            with suppress(*_FAULTS):
                self._outwards()
        finally:
            with suppress(*_FAULTS):
                self._channel.close()
            back.join()
            self._far.close()
            ended()

    def _outwards(self) -> None:
        while data := self._far.recv(_PIECE):
            while data:
                try:
                    sent = self._channel.send(data)
                except TimeoutError:  # the server takes nothing
                    if self._gone.poll(0):
                        return
                    continue
                if not sent:  # the server closed the channel
                    return
                data = data[sent:]
        self._channel.shutdown_write()
        self._gone.poll()

    def _inwards(self) -> None:
        with suppress(*_FAULTS):
            while True:
                try:
                    data = self._channel.recv(_PIECE)
                except TimeoutError:
                    continue
                if not data:
                    break
                self._far.sendall(data)
        how = socket.SHUT_WR
        if not self._channel.eof_received:
            self._lost.append(self._why)
            how = socket.SHUT_RDWR
        with suppress(OSError):
            self._far.shutdown(how)
