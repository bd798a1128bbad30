"""An SSH server of the tests' own: Debian's sshd with keys and settings of its own, for the user of the tests."""

from __future__ import annotations

import os
import pwd
import shlex
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lib.local.sandbox.supervisor import Supervisor
from tests.lab.ports import HeldPort
from tests.lab.waiting import wait_until

PROGRAM = "/usr/sbin/sshd"
STAND_IN = Path(__file__).with_name("dial_stdio.py")
"""What runs as `docker` on the server."""


class SshServerError(Exception):
    pass


@dataclass(frozen=True)
class KeyPair:
    """An Ed25519 key: the private half as a file of OpenSSH, the public half as a line of one."""

    private: Ed25519PrivateKey

    @classmethod
    def made(cls) -> KeyPair:
        return cls(Ed25519PrivateKey.generate())

    @cached_property
    def text(self) -> str:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()

    def locked(self, password: str) -> str:
        """The private half with a password."""
        encryption = BestAvailableEncryption(password.encode())
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption).decode()

    @property
    def line(self) -> str:
        return self.private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


class SshServer:
    """A running sshd on the loopback: `port`, `user`, `host_key` (its line) and `key`, with which the user gets in.

    `forwarding` says whether it forwards sockets, `docker` whether its user has a program of that name, which can do
    `docker system dial-stdio` and nothing else. `settings` are more lines of sshd_config; they count before ours.
    """

    def __init__(
        self, *, forwarding: bool = True, docker: bool = False, settings: Sequence[str] = ()
    ) -> None:
        if not os.path.exists(PROGRAM):
            raise SshServerError("sshd is not installed: install the package openssh-server")
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.key, host = KeyPair.made(), KeyPair.made()
        self.host_key = host.line
        self.supervisor = Supervisor("ssh")
        self.folder = Path(self.supervisor.folder)
        self._port = HeldPort()
        self.port = self._port.number
        self._write(host, [*settings, f"AllowStreamLocalForwarding {'yes' if forwarding else 'no'}"])
        if docker:
            program = self.folder / "bin" / "docker"
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {STAND_IN} "$@"\n')
            program.chmod(0o755)
        self.start()

    def _write(self, host: KeyPair, settings: Sequence[str]) -> None:
        (self.folder / "bin").mkdir()
        keys, host_key = self.folder / "authorized_keys", self.folder / "host_key"
        keys.write_text(f"{self.key.line}\n")
        host_key.write_text(host.text)
        host_key.chmod(0o600)
        lines = [
            *settings,
            f"ListenAddress 127.0.0.1:{self.port}",
            f"HostKey {host_key}",
            f"AuthorizedKeysFile {keys}",
            f"PidFile {self.folder / 'pid'}",
            f"SetEnv PATH={self.folder / 'bin'} HOME={self.folder}",  # no docker and no .bashrc of this machine
            "StrictModes no",  # the folder lies in /tmp
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "MaxStartups 100",
            "PrintMotd no",
        ]
        (self.folder / "config").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Up (again), on the same port."""
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # it insists on this folder
        command = [PROGRAM, "-D", "-e", "-f", str(self.folder / "config")]
        self.supervisor.start(command, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        try:
            wait_until(self._is_up, "sshd to start")
        except BaseException:
            self.close()
            raise

    def _is_up(self) -> bool:
        if not self.supervisor.running:
            raise SshServerError(f"sshd does not start: {self.supervisor.last_words()}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def stop(self) -> None:
        """No new connections; those that are open go on."""
        self.supervisor.stop()

    def credential(self, path: str, **changes: Any) -> Mapping[str, Any]:
        """The fields for the engine at the socket `path`."""
        fields = {
            "server": f"ssh://{self.user}@127.0.0.1:{self.port}{path}",
            "sshKey": self.key.text,
            "sshHostKey": self.host_key,
            **changes,
        }
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def logins(self) -> int:
        """How many connections have logged in so far."""
        return Path(self.supervisor.log).read_text(errors="replace").count("Accepted publickey")

    def close(self) -> None:
        self._port.close()
        self.supervisor.close()
