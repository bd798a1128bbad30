"""The other way to the engine's socket: `docker system dial-stdio`, a program that connects itself with it.

It is for servers that forward no sockets. A program that has been begun need not have reached the engine, and it says
nothing when it has; so a ping is sent through it before anything else. What fails until then has sent nothing.
"""

from __future__ import annotations

import shlex
import time
from contextlib import suppress

from paramiko.ssh_exception import SSHException

from lib.engine.endpoint import DEFAULT_SOCKET
from lib.engine.errors import Unreachable, shortened
from lib.engine.http.reader import Malformed, Reader
from lib.engine.http.ssh.channels import BoundedChannel, SshTransport
from lib.engine.text import shown

_PING = b"HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"
_PIECE = 4096
_TEXT = 2000  # bytes of what the program says about its end
_ENDING = 2.0  # seconds for that
_NOT_FOUND = 127


def dial(transport: SshTransport, path: str, server: str, user: str, timeout: float) -> BoundedChannel:
    """Return a channel to the program, which is connected with the socket at `path`.

    `timeout` is in seconds, for the channel and again for the ping. Raises Unreachable, and what `SshTransport.execute`
    raises.
    """
    command = f"docker --host {shlex.quote(f'unix://{path}')} system dial-stdio"
    channel = transport.execute(command, timeout)
    try:
        _ping(channel, timeout)
    except (Malformed, OSError, SSHException) as fault:
        if not transport.is_active():
            raise SSHException("the SSH connection is lost") from fault
        error = _failed(channel, fault, path, server, user)
        channel.close()
        raise error from fault
    return channel


def _ping(channel: BoundedChannel, timeout: float) -> None:
    until = time.monotonic() + timeout
    reader = Reader("HEAD")
    channel.settimeout(timeout)
    channel.sendall(_PING)
    while not reader.complete:
        channel.settimeout(max(until - time.monotonic(), 0.001))
        if data := channel.recv(_PIECE):
            reader.feed(data)
        else:
            reader.end()
    if not reader.reusable:
        raise Malformed("the connection ended behind the answer")


def _failed(channel: BoundedChannel, fault: Exception, path: str, server: str, user: str) -> Unreachable:
    if isinstance(fault, TimeoutError):
        return Unreachable(
            f"The engine at {path} on the SSH server {server} does not answer in time",
            hint="Check that the engine runs there",
        )
    said = _said(channel)
    text = f"The SSH server {server} does not forward the socket {path}"
    engine = "that the engine runs there, the path behind the host in the address (otherServer, default "
    engine += f"{DEFAULT_SOCKET})"
    if channel.exit_status == _NOT_FOUND:
        return Unreachable(
            f"{text}, and has no program docker",
            hint=f"Check {engine}, that {shown(user)} may use the socket (group docker), and "
            "AllowStreamLocalForwarding in the server's sshd_config",
        )
    if "permission denied" in said.lower():
        engine = (
            f"that the user {shown(user)} may use the socket: the group docker of the server lets its members"
        )
    return Unreachable(f"{text}, and docker says: {shown_line(said) or 'nothing'}", hint=f"Check {engine}")


def shown_line(text: str) -> str:
    """Return a text of the server on one line, without control characters."""
    return shortened("".join(sign if sign.isprintable() else " " for sign in " ".join(text.split())))


def _said(channel: BoundedChannel) -> str:
    """Return what the program has written to stderr, and wait for its exit status; both only so long."""
    said, until = b"", time.monotonic() + _ENDING
    with suppress(OSError):
        while len(said) < _TEXT:
            channel.settimeout(max(until - time.monotonic(), 0.001))
            if not (data := channel.recv_stderr(_TEXT)):
                break
            said += data
    channel.status_event.wait(max(until - time.monotonic(), 0))
    return said[:_TEXT].decode("utf-8", "replace")
