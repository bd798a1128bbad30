"""The SSH connection with what the library lacks: channels to a unix socket, and limits of waiting and of memory."""

from __future__ import annotations

import logging
import threading
from typing import ClassVar

from paramiko.channel import Channel
from paramiko.common import (
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EXTENDED_DATA,
    cMSG_CHANNEL_OPEN,
    cMSG_CHANNEL_REQUEST,
)
from paramiko.message import Message
from paramiko.ssh_exception import SSHException
from paramiko.transport import Transport

from lib.engine.http.ssh.bounded import BoundedPacketizer, Guard

WINDOW = 2 * 1024 * 1024
"""Bytes that a channel may hold unread; the server has to wait then."""
PACKET = 32 * 1024
STREAM_LOCAL = "direct-streamlocal@openssh.com"
_CIPHERS = (
    *("aes128-gcm@openssh.com", "aes256-gcm@openssh.com"),  # the fastest here: one call for cipher and check
    *("aes128-ctr", "aes192-ctr", "aes256-ctr"),
)
_DIGESTS = (
    *("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"),
    *("hmac-sha2-256", "hmac-sha2-512"),
)

# It logs what it raises as well, at the level of errors and with stacks.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class ChannelRefused(Exception):
    """The server opens no such channel; the connection goes on."""


class BoundedChannel(Channel):  # type: ignore[misc] # the library has no types
    """A channel whose server is held to the window: what it sends beyond ends the connection."""

    def _feed(self, m: Message | bytes) -> None:
        super()._feed(m)
        self._check()

    def _feed_extended(self, m: Message) -> None:
        super()._feed_extended(m)
        self._check()

    def _check(self) -> None:
        if len(self.in_buffer) + len(self.in_stderr_buffer) > WINDOW:
            raise SSHException("the server sends more than the window of the channel")


class SshTransport(Transport):  # type: ignore[misc]
    """One SSH connection. Its methods of our own wait for the server no longer than they are told."""

    _channel_handler_table: ClassVar = {
        **Transport._channel_handler_table,  # noqa: SLF001 - it names the methods of its own channels
        MSG_CHANNEL_DATA: BoundedChannel._feed,  # noqa: SLF001
        MSG_CHANNEL_EXTENDED_DATA: BoundedChannel._feed_extended,  # noqa: SLF001
    }

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard, packetizer_class=BoundedPacketizer)
        options = self.get_security_options()
        options.ciphers, options.digests = _CIPHERS, _DIGESTS
        self.guard = guard
        self.opened = 0

    def open_socket(self, path: str, timeout: float) -> BoundedChannel:
        """Return a channel to the unix socket at `path` on the server.

        OpenSSH answers in the same way where it forbids that, where nobody listens there and where the user may not
        connect: ChannelRefused. Raises TimeoutError, and SSHException or EOFError where the connection is lost.
        """
        # Behind the path stand a text and a number that are reserved (OpenSSH's PROTOCOL, section 2.4).
        more = Message()
        more.add_string(path)
        more.add_string("")
        more.add_int(0)
        return self._open(STREAM_LOCAL, timeout, more.asbytes())

    def execute(self, command: str, timeout: float) -> BoundedChannel:
        """Return a channel to a program that the user's shell runs; raises as `open_socket`.

        The server is not asked whether it could be begun: what the program says, and how it ends, tells.
        """
        channel = self._open("session", timeout)
        request = Message()
        request.add_byte(cMSG_CHANNEL_REQUEST)
        request.add_int(channel.remote_chanid)
        request.add_string("exec")
        request.add_boolean(False)
        request.add_string(command)
        self._send_user_message(request)
        return channel

    def _open(self, kind: str, timeout: float, more: bytes = b"") -> BoundedChannel:
        """Do what `Transport.open_channel` does, for a kind that it does not know, and for our channels."""
        arrived = threading.Event()
        with self.lock:
            number = self._next_channel()
            channel: BoundedChannel = BoundedChannel(number)
            self._channels.put(number, channel)
            self.channel_events[number] = arrived
            self.channels_seen[number] = True
            channel._set_transport(self)  # noqa: SLF001 - as in the library
            channel._set_window(WINDOW, PACKET)  # noqa: SLF001
            self.opened += 1
        request = Message()
        request.add_byte(cMSG_CHANNEL_OPEN)
        request.add_string(kind)
        for value in (number, WINDOW, PACKET):
            request.add_int(value)
        request.add_bytes(more)
        self._send_user_message(request)
        if not self.is_active():
            raise SSHException("the SSH connection is lost")
        if not arrived.wait(timeout):
            raise TimeoutError("the server does not answer")
        if not self.is_active():
            raise SSHException("the SSH connection is lost")
        if self._channels.get(number) is None:
            raise ChannelRefused
        return channel
