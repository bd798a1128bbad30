"""The SSH settings of a credential: checks them, and refuses them for an address that is not ssh://.

Nothing here loads the SSH library: keys are read by `lib/engine/http/ssh`, once an engine is opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NoReturn

from lib.engine.errors import BadInput
from lib.engine.pem import pem
from lib.engine.text import plain

PORT = 22
KINDS = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
"""Type of a key -> the signatures that a server proves it with; SHA-1 is none of them."""
LONGEST_HOST_KEYS = 64 * 1024
"""Characters of the host keys; a server has three or four, of at most some hundred characters."""
_LONGEST_USER = 256


@dataclass(frozen=True)
class Ssh:
    """Who logs in, by which private key (PEM or OpenSSH text), and which keys the server may show.

    `host_keys` holds lines as in known_hosts or of a .pub file; `verify` False trusts any server. Without a key the
    agent is asked that listens at the path `agent`.
    """

    user: str = ""
    key: str | None = field(default=None, repr=False)
    key_password: str | None = field(default=None, repr=False)
    host_keys: str | None = None
    verify: bool = True
    agent: str | None = None

    @classmethod
    def checked(
        cls,
        user: str | None,
        key: str | None,
        key_password: str | None,
        host_keys: str | None,
        *,
        verify: bool,
        agent: str | None = None,
    ) -> Ssh:
        """Return the settings of a credential; raises BadInput that names the wrong field and quotes no key."""
        if host_keys and "PRIVATE KEY" in host_keys:
            raise BadInput(
                "sshHostKey holds a private key",
                field="sshHostKey",
                hint="It takes the public key of the server, one line; the private key belongs into sshKey",
            )
        if host_keys and len(host_keys) > LONGEST_HOST_KEYS:
            raise BadInput(f"sshHostKey is longer than {LONGEST_HOST_KEYS} characters", field="sshHostKey")
        return cls(
            _user(user, "sshUser") if user else "",
            pem(key, field="sshKey", kind="PRIVATE KEY") if key else None,
            key_password or None,
            host_keys or None,
            verify,
            agent or None,
        )

    @property
    def given(self) -> tuple[str, ...]:
        """The fields of the credential that ask for SSH; sshHostKeyCheck counts when it is off."""
        values = {
            "sshUser": self.user,
            "sshKey": self.key,
            "sshKeyPassword": self.key_password,
            "sshHostKey": self.host_keys,
            "sshHostKeyCheck": not self.verify,
        }
        return tuple(name for name, value in values.items() if value)


def ssh_of(scheme: str, ssh: Ssh, user_info: str) -> Ssh | None:
    """Return the complete SSH settings of an address, None where it is not ssh://.

    `user_info` is what stands before the @ of the address. Raises BadInput for what is missing, and for settings that
    the address cannot use.
    """
    if scheme != "ssh":
        _refuse(scheme, ssh)
        return None
    name, colon, _ = user_info.partition(":")
    if colon:
        raise BadInput(
            "server: an ssh:// address takes no password",
            field="server",
            hint="The user logs in with a key: write ssh://user@host, and the key into sshKey",
        )
    if name and ssh.user and name != ssh.user:
        raise BadInput(
            "sshUser is another user than the one in the address", field="sshUser", hint="Name the user once"
        )
    user = _user(name, "server") if name else ssh.user
    if not user:
        raise BadInput(
            "sshUser is missing",
            field="sshUser",
            hint="Write the user there, or ssh://user@host as the address",
        )
    if not ssh.key and not ssh.agent:
        raise BadInput(
            "sshKey is missing", field="sshKey", hint="Paste the private key with which the user logs in"
        )
    if ssh.verify and not ssh.host_keys:
        raise BadInput(
            "sshHostKey is missing: without it anybody on the way could be the server",
            field="sshHostKey",
            hint="Paste the server's line of known_hosts, or /etc/ssh/ssh_host_ed25519_key.pub of the server; "
            "sshHostKeyCheck can switch the check off",
        )
    return replace(ssh, user=user)


def _refuse(scheme: str, ssh: Ssh) -> None:
    if ssh.given:
        names = " and ".join(ssh.given)
        raise BadInput(
            f"{names} cannot be used: a {scheme}:// address has no SSH",
            field=ssh.given[0],
            hint=f"Write ssh://user@host as the address, or empty {names}",
        )


def _user(text: str, field_name: str) -> str:
    plain(text, field_name, line=True)
    if len(text) > _LONGEST_USER:
        _wrong_user(field_name, f"is longer than {_LONGEST_USER} characters")
    if any(sign.isspace() for sign in text):
        _wrong_user(field_name, "holds a blank")
    return text


def _wrong_user(field_name: str, why: str) -> NoReturn:
    raise BadInput(f"{field_name}: the name of the user {why}", field=field_name)
