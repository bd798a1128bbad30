"""The keys that the credential knows of a server, and the key that the server shows."""

from __future__ import annotations

import base64
import binascii
import hashlib

from paramiko.hostkeys import HostKeys
from paramiko.pkey import PKey

from lib.engine.errors import BadInput, SshRefused
from lib.engine.ssh import KINDS, PORT
from lib.engine.text import shown

_FORM = (
    "Give lines of known_hosts, or of the server's /etc/ssh/ssh_host_*_key.pub: "
    "type and key, such as ssh-ed25519 AAAA..."
)
_MOST_LINES = 200


class KnownKeys:
    """The keys of one server; those of lines that name other hosts do not count."""

    def __init__(self, text: str, host: str, port: int) -> None:
        """Read the field sshHostKey; raises BadInput."""
        self._where = host if port == PORT else f"[{host}]:{port}"
        self._keys: set[tuple[str, bytes]] = set()
        others = 0
        for line in _lines(text):
            words = line.split()
            names = "" if words[0] in KINDS else words.pop(0)
            key = _key(words)
            if not names or self._is_meant(names):
                self._keys.add(key)
            else:
                others += 1
        if not self._keys:
            what = f"its {others} lines name other hosts than {self._where}" if others else "it holds no key"
            raise BadInput(
                f"sshHostKey: {what}",
                field="sshHostKey",
                hint=f"{_FORM}; a line without names in front counts for this server",
            )

    @property
    def signatures(self) -> tuple[str, ...]:
        """The names of signatures for which there is a key, for the server to choose from."""
        return tuple(name for kind, names in KINDS.items() if kind in self.kinds for name in names)

    @property
    def kinds(self) -> set[str]:
        return {kind for kind, _ in self._keys}

    def check(self, key: PKey) -> None:
        """Raise SshRefused unless `key`, which the server has proved to have, is known."""
        blob = key.asbytes()
        if (key.get_name(), blob) in self._keys:
            return
        raise SshRefused(
            f"The host key of {self._where} is not the one in sshHostKey: the server shows {key.get_name()} "
            f"{fingerprint(blob)}, known are {', '.join(sorted(self._told()))}",
            hint="Ask who runs the server: after a new installation take its new key into sshHostKey, "
            "else somebody may be in between",
        )

    def _told(self) -> list[str]:
        return [f"{kind} {fingerprint(blob)}" for kind, blob in self._keys]

    def _is_meant(self, names: str) -> bool:
        """Whether the first word of a line names this server: plain names, or a hash of one."""
        known = names.split(",")
        return self._where in known or any(
            name.startswith("|1|") and _hashed(self._where, name) == name for name in known
        )


def fingerprint(blob: bytes) -> str:
    """Return the SHA-256 of a public key as ssh-keygen -l writes it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.replace("\\n", "\n").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if len(lines) > _MOST_LINES:
        raise BadInput(f"sshHostKey has more than {_MOST_LINES} lines", field="sshHostKey")
    return lines


def _key(words: list[str]) -> tuple[str, bytes]:
    if len(words) < 2 or words[0] not in KINDS:  # noqa: PLR2004
        raise BadInput(
            f"sshHostKey: a line has no key of a known type ({', '.join(KINDS)}): {shown(' '.join(words))}",
            field="sshHostKey",
            hint=_FORM,
        )
    try:
        blob = binascii.a2b_base64(words[1], strict_mode=True)
    except ValueError:
        blob = b""
    kind = words[0].encode()
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind):
        raise BadInput(
            f"sshHostKey: a key of type {words[0]} is cut or garbled", field="sshHostKey", hint=_FORM
        )
    return words[0], blob


def _hashed(name: str, like: str) -> str:
    try:
        return str(HostKeys.hash_host(name, like))
    except (ValueError, AssertionError, IndexError):
        return ""
