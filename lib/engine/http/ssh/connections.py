"""The SSH connections to one server: one carries all calls, and another one takes its place when it is lost.

There is a second one beside it only for `docker system dial-stdio`, since servers limit the programs of a connection
(MaxSessions, 10 by default).
"""

from __future__ import annotations

import socket
import threading
import time
from functools import partial
from typing import NoReturn

from paramiko.ssh_exception import SSHException

from lib.engine.endpoint import Endpoint
from lib.engine.errors import SshRefused, Unreachable
from lib.engine.http.ssh.channels import BoundedChannel, ChannelRefused, SshTransport
from lib.engine.http.ssh.dial_stdio import dial
from lib.engine.http.ssh.login import PATIENCE, Login, ended
from lib.engine.http.ssh.tunnel import tunnel

MOST_CHANNELS = 50_000
"""Channels after which a connection is no longer used for new ones: the library remembers each."""


class SshConnections:
    """Opens sockets to the engine of an ssh:// endpoint. Thread-safe; it connects with the first socket."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Read the keys of the credential; raises BadInput."""
        self._path = endpoint.socket_path
        self._user = endpoint.ssh.user if endpoint.ssh else ""
        self._login = Login(endpoint)
        self._lock = threading.Lock()
        self._logging_in = threading.Lock()
        self._failed: tuple[float, Unreachable] | None = None
        self._connections: list[_Connection] = []
        self._by_program = self._forwards = False

    def socket(self, timeout: float) -> socket.socket:
        """Return a socket that is connected with the engine's; raises Unreachable, SshRefused. `timeout`: see Login."""
        while True:
            connection, new = self._connection(timeout)
            try:
                channel = self._channel(connection, timeout)
            except _Full:
                alone = not self._set_aside(connection)
                if new and alone:
                    self._refuse_programs()
                continue
            except (SSHException, EOFError, OSError) as fault:
                # Nothing was sent yet. A connection that was kept may have been lost meanwhile: one that is new tells.
                connection.retired = True
                self._release(connection)
                if new:
                    raise self._lost(fault) from fault
                continue
            except BaseException:
                self._release(connection)
                raise
            return tunnel(channel, self._login.server, partial(self._release, connection))

    def _channel(self, connection: _Connection, timeout: float) -> BoundedChannel:
        transport = connection.transport
        if not self._by_program:
            try:
                channel = transport.open_socket(self._path, timeout)
            except ChannelRefused:
                pass
            else:
                self._forwards = True
                return channel
        try:
            channel = dial(transport, self._path, self._login.server, self._user, timeout)
        except ChannelRefused:
            raise _Full from None
        except Unreachable:
            self._by_program = False
            raise
        # A server that has forwarded the socket once had none to forward just now, as while the engine restarts.
        self._by_program = not self._forwards
        return channel

    def _connection(self, timeout: float) -> tuple[_Connection, bool]:
        """Return a connection in which room for one more channel is taken, and whether it is new."""
        began = time.monotonic()
        if found := self._taken():
            return found, False
        if not self._logging_in.acquire(timeout=timeout * (PATIENCE + 1)):
            raise self._lost(TimeoutError("other calls wait for it, too"))
        try:
            if found := self._taken():
                return found, False
            if self._failed and self._failed[0] > began:  # another call has tried meanwhile
                error = self._failed[1]
                raise type(error)(error.message, hint=error.hint)
            try:
                transport = self._login.transport(timeout)
                self._by_program = False  # its settings may be others now
            except Unreachable as error:
                self._failed = (time.monotonic(), error)
                raise
            connection = _Connection(transport)
            with self._lock:
                self._connections.append(connection)
            return connection, True
        finally:
            self._logging_in.release()

    def _taken(self) -> _Connection | None:
        with self._lock:
            for connection in reversed(self._connections):
                if connection.usable:
                    connection.used += 1
                    connection.retired = connection.transport.opened >= MOST_CHANNELS
                    return connection
        return None

    def _set_aside(self, connection: _Connection) -> bool:
        """Use a connection for no more channels until one of its own has ended; return whether it has any."""
        with self._lock:
            others = connection.used > 1
            connection.full, connection.retired = others, connection.retired or not others
        self._release(connection, room=False)
        return others

    def _release(self, connection: _Connection, *, room: bool = True) -> None:
        """Give back a channel's room; a connection that takes no more of them ends with its last one."""
        with self._lock:
            connection.used -= 1
            connection.full = connection.full and not room
            over = connection.retired or not connection.transport.is_active()
            if over and connection in self._connections:
                self._connections.remove(connection)
            over = over and not connection.used
        if over:
            ended(connection.transport)

    def _refuse_programs(self) -> NoReturn:
        raise SshRefused(
            f"The SSH server {self._login.server} forwards no socket and runs no program for {self._user!r}",
            hint="Allow one of both for this user: AllowStreamLocalForwarding, or `docker system dial-stdio`",
        )

    def _lost(self, fault: Exception) -> Unreachable:
        why = "no answer in time" if isinstance(fault, TimeoutError) else "it ended the connection"
        return Unreachable(
            f"The SSH server {self._login.server} opens no connection to {self._path} ({why})",
            hint="It may be restarting, or have too many connections",
        )

    def close(self) -> None:
        """End the connections that carry nothing now, and the others with their last channel."""
        with self._lock:
            connections, self._connections = self._connections, []
            for connection in connections:
                connection.retired = True
            idle = [connection for connection in connections if not connection.used]
        for connection in idle:
            ended(connection.transport)


class _Full(Exception):
    """The server runs no more programs in this connection."""


class _Connection:
    """One SSH connection; `used` counts its channels."""

    def __init__(self, transport: SshTransport) -> None:
        self.transport = transport
        self.used = 1
        self.full = self.retired = False

    @property
    def usable(self) -> bool:
        return not self.retired and not self.full and self.transport.is_active()
