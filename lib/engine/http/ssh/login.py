"""Logs in at an SSH server, and says why that fails: host, host key, user or key.

The order is that of the protocol, and nothing secret is sent before the host key was checked:

    TCP connection -> versions -> keys exchanged -> host key checked -> user and key
"""

from __future__ import annotations

import socket
from contextlib import suppress

from paramiko.pkey import PKey
from paramiko.ssh_exception import (
    AuthenticationException,
    BadAuthenticationType,
    IncompatiblePeer,
    SSHException,
)

from lib.engine.endpoint import Endpoint
from lib.engine.errors import EngineError, SshRefused, Unreachable
from lib.engine.http.connect import connect
from lib.engine.http.ssh.bounded import Guard
from lib.engine.http.ssh.channels import SshTransport
from lib.engine.http.ssh.host_keys import KnownKeys
from lib.engine.http.ssh.identity import Identity
from lib.engine.text import shown

PATIENCE = 4
"""The login has so many times the limit of a connect: servers look up names, and ask for users elsewhere."""
KEEP_ALIVE = 30
"""Seconds of silence after which a message goes to the server, so that nothing on the way forgets the connection."""
GONE = 60
"""Seconds after which a server is gone that does not confirm what it was sent, keep-alives for example."""
_AUTH_HINT = (
    "Check the user, in the address (otherServer) or sshUser, and sshKey: its public part must stand in the user's "
    "~/.ssh/authorized_keys on the server"
)
_SEEN_HOST = "Check host and port of the address (otherServer): an SSH server has to listen there"


class Login:
    """The way into one server: its address, the keys that it may show, and what the user has."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Read the keys of the credential; raises BadInput."""
        ssh = endpoint.ssh
        if ssh is None:
            raise TypeError(f"{endpoint} has no SSH")
        self._endpoint, self._user = endpoint, ssh.user
        self._known = (
            KnownKeys(ssh.host_keys, endpoint.host, endpoint.port) if ssh.verify and ssh.host_keys else None
        )
        self._identity = Identity(ssh)
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        self.server = f"{host}:{endpoint.port}"

    def transport(self, timeout: float) -> SshTransport:
        """Return a connection whose user is logged in.

        `timeout` is in seconds, for the TCP connection, and PATIENCE times that for the rest. Raises Unreachable, and
        SshRefused for what a repeat does not change.
        """
        sock = connect(self._endpoint, timeout, None)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE * 1000)
        guard = Guard(sock, timeout * PATIENCE)
        try:
            transport = SshTransport(guard)
        except BaseException:
            guard.close()
            raise
        try:
            self._shake_hands(transport, timeout * PATIENCE)
            self._log_in(transport, timeout * PATIENCE)
        except BaseException:
            transport.close()
            guard.close()  # where its thread was never begun
            raise
        guard.lift()
        transport.set_keepalive(KEEP_ALIVE)
        return transport

    def _shake_hands(self, transport: SshTransport, seconds: float) -> None:
        if self._known:
            options = transport.get_security_options()
            first = self._known.signatures
            # The others come after them, so that another server shows its key instead of nothing in common.
            options.key_types = (*first, *(one for one in options.key_types if one not in first))
        try:
            transport.start_client(timeout=seconds)
            key = transport.get_remote_server_key()
        except (SSHException, EOFError, OSError) as fault:
            raise self._no_handshake(transport, fault) from fault
        if self._known:
            self._known.check(key)

    def _no_handshake(self, transport: SshTransport, fault: Exception) -> EngineError:
        guard = transport.guard
        if guard.late or transport.is_active():
            return self._late()
        if not transport.remote_version and guard.began:
            return SshRefused(f"What answers at {self.server} is no SSH server", hint=_SEEN_HOST)
        if isinstance(fault, IncompatiblePeer):
            return SshRefused(
                f"The SSH server {self.server} and this component have no method in common ({shown(str(fault))})",
                hint="Bring the SSH server up to date",
            )
        if guard.ended or isinstance(fault, EOFError):
            return Unreachable(
                f"The SSH server {self.server} ended the connection before the login", hint=_SEEN_HOST
            )
        return Unreachable(
            f"The SSH handshake with {self.server} failed ({shown(str(fault))})",
            hint="The server may be restarting; if it stays so, look into its log",
        )

    def _late(self) -> Unreachable:
        return Unreachable(
            f"The SSH server {self.server} did not answer in time",
            hint="Check host and port of the address (otherServer), and that the server is not overloaded",
        )

    def _log_in(self, transport: SshTransport, seconds: float) -> None:
        agent = self._identity.agent(seconds)
        try:
            keys = self._identity.keys(agent)
            if not any(self._takes(transport, key, seconds) for key in keys):
                raise self._no_login("" if keys else "the agent has none")
        finally:
            if agent:
                agent.close()

    def _takes(self, transport: SshTransport, key: PKey, seconds: float) -> bool:
        """Whether the server lets the user in with a key."""
        transport.auth_timeout = seconds
        try:
            wanted = transport.auth_publickey(self._user, key)
        except BadAuthenticationType as fault:
            raise self._no_login(f"it takes {_methods(fault.allowed_types)}, no keys") from fault
        except AuthenticationException as fault:
            if transport.is_active() and not transport.guard.late:
                return False
            raise self._lost(transport) from fault
        except (SSHException, EOFError, OSError) as fault:
            raise self._lost(transport) from fault
        if wanted or not transport.is_authenticated():
            raise self._no_login(f"it wants {_methods(wanted)} as well")
        return True

    def _lost(self, transport: SshTransport) -> Unreachable:
        if transport.guard.late or transport.is_active():
            return self._late()
        return Unreachable(
            f"The SSH server {self.server} ended the connection during the login of {shown(self._user)}",
            hint=_AUTH_HINT,
        )

    def _no_login(self, more: str) -> SshRefused:
        source = self._identity.source
        return SshRefused(
            f"The SSH server {self.server} refuses the user {shown(self._user)} with {source}"
            + (f": {more}" if more else ""),
            hint=_AUTH_HINT,
        )


def _methods(names: list[str]) -> str:
    return shown(", ".join(names)) if names else "something else"


def ended(transport: SshTransport) -> None:
    """End a connection and all of its channels; nothing is raised."""
    with suppress(Exception):
        transport.close()
