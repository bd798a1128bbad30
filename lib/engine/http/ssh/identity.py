"""The keys with which the user logs in: the private key of the credential, or those of an agent."""

from __future__ import annotations

import io
import socket
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)
from paramiko.agent import AgentSSH
from paramiko.ecdsakey import ECDSAKey
from paramiko.ed25519key import Ed25519Key
from paramiko.pkey import PKey
from paramiko.rsakey import RSAKey
from paramiko.ssh_exception import SSHException

from lib.engine.errors import BadInput, Unreachable
from lib.engine.ssh import Ssh

MOST_KEYS = 5
"""Keys of an agent that are tried: OpenSSH's servers end the connection after six tries."""
_TYPES: dict[type, type[PKey]] = {
    Ed25519PrivateKey: Ed25519Key,
    EllipticCurvePrivateKey: ECDSAKey,
    RSAPrivateKey: RSAKey,
}
PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey


def private_key(text: str, password: str | None) -> PKey:
    """Return the key of a PEM or OpenSSH text. Raises BadInput that names the field and quotes neither."""
    key = _loaded(text.encode(), password)
    for form, kind in _TYPES.items():
        if isinstance(key, form):
            try:
                # The library does not read all forms of PEM, so it gets the one that it reads for all keys.
                plain = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
                return kind.from_private_key(io.StringIO(plain))
            except (SSHException, ValueError):
                break
    raise BadInput(
        "sshKey is of a kind that is not supported",
        field="sshKey",
        hint="Make an Ed25519, ECDSA (P-256, P-384, P-521) or RSA key: ssh-keygen -t ed25519",
    )


def _loaded(data: bytes, password: str | None) -> PrivateKey:
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in data else load_pem_private_key
    try:
        return load(data, None)  # type: ignore[return-value]
    except TypeError:  # it has a password
        pass
    except (ValueError, UnsupportedAlgorithm):
        raise BadInput(
            "sshKey cannot be read as a private key",
            field="sshKey",
            hint="Paste the whole text of the file, such as ~/.ssh/id_ed25519, not that of its .pub",
        ) from None
    if not password:
        raise BadInput(
            "sshKeyPassword is missing: sshKey has a password", field="sshKeyPassword", hint="Fill it in"
        )
    try:
        return load(data, password.encode())  # type: ignore[return-value]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadInput(
            "sshKeyPassword does not open sshKey",
            field="sshKeyPassword",
            hint="Check the password; if it is right, the key is damaged",
        ) from None


class Agent(AgentSSH):  # type: ignore[misc] # the library has no types
    """The agent that listens at a path of this machine; `close` when its keys are not needed any more."""

    def __init__(self, path: str, timeout: float) -> None:
        """Ask for its keys; raises OSError, SSHException."""
        super().__init__()
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(timeout)
            connection.connect(path)
            self._connect(connection)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        self._close()


class Identity:
    """What the user has to log in with. The key is read once, the agent is asked at each login."""

    def __init__(self, ssh: Ssh) -> None:
        """Raises BadInput for a key that cannot be read."""
        self._key = private_key(ssh.key, ssh.key_password) if ssh.key else None
        self._path = ssh.agent or ""

    @property
    def source(self) -> str:
        """Where the keys come from, for errors."""
        return "the key in sshKey" if self._key else "the keys of the SSH agent"

    def agent(self, timeout: float) -> Agent | None:
        """Return the agent if there is no key; raises Unreachable."""
        if self._key:
            return None
        try:
            return Agent(self._path, timeout)
        except (OSError, SSHException, ValueError) as fault:
            raise Unreachable(
                f"The SSH agent does not answer ({fault})",
                hint="Check SSH_AUTH_SOCK and `ssh-add -l`, or give a key in sshKey",
            ) from fault

    def keys(self, agent: Agent | None) -> Sequence[PKey]:
        """Return the keys to try, in their order."""
        return [self._key] if self._key else list(agent.get_keys() if agent else ())[:MOST_KEYS]
