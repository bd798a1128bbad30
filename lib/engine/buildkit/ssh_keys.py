"""Private keys for SSH in a build: read from the message, and what an agent does with them.

Ed25519, ECDSA (P-256, P-384, P-521) and RSA with SHA-2. Keys with a password are refused, as there is nobody to ask;
signatures of RSA with SHA-1 are refused, as servers do.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from lib.engine.errors import BadInput
from lib.engine.text import utf8

DEFAULT = "default"
RSA_SHA2_256, RSA_SHA2_512 = 2, 4
"""Flags of a request to sign."""
_CURVES: dict[str, tuple[bytes, hashes.HashAlgorithm]] = {
    "secp256r1": (b"ecdsa-sha2-nistp256", hashes.SHA256()),
    "secp384r1": (b"ecdsa-sha2-nistp384", hashes.SHA384()),
    "secp521r1": (b"ecdsa-sha2-nistp521", hashes.SHA512()),
}
_MOST_KEYS = 20
_LONGEST = 64 * 1024
_FORM = "Give a private key as text (PEM or OpenSSH, without a password), or an object of id to key or list of keys"

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey


class Key:
    """One private key; `blob` is its public part as SSH writes it."""

    def __init__(self, private: PrivateKey) -> None:
        self._private = private
        line = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        self.blob = base64.b64decode(line.split()[1])

    def sign(self, data: bytes, flags: int) -> bytes | None:
        """Return the signature as SSH writes it; None where it would need SHA-1."""
        key = self._private
        if isinstance(key, Ed25519PrivateKey):
            return string(b"ssh-ed25519") + string(key.sign(data))
        if isinstance(key, EllipticCurvePrivateKey):
            name, digest = _CURVES[key.curve.name]
            numbers = decode_dss_signature(key.sign(data, ECDSA(digest)))
            return string(name) + string(b"".join(_number(number) for number in numbers))
        if flags & RSA_SHA2_512:
            return string(b"rsa-sha2-512") + string(key.sign(data, padding.PKCS1v15(), hashes.SHA512()))
        if flags & RSA_SHA2_256:
            return string(b"rsa-sha2-256") + string(key.sign(data, padding.PKCS1v15(), hashes.SHA256()))
        return None


def string(data: bytes) -> bytes:
    """Return bytes as SSH writes them: their length in 4 bytes before them."""
    return len(data).to_bytes(4, "big") + data


def _number(value: int) -> bytes:
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def ssh_keys(value: Any) -> dict[str, list[Key]]:
    """Return the keys by id that the field `ssh` holds. Raises BadInput, which quotes no key."""
    if isinstance(value, str):
        return {DEFAULT: _keys(value, "ssh")}
    if not isinstance(value, Mapping):
        raise BadInput("ssh must be a key or an object", field="ssh", hint=_FORM)
    found: dict[str, list[Key]] = {}
    for name, given in value.items():
        if "," in name or not name.isprintable():
            raise BadInput(f"ssh has the id {name!r}; it must be a word without commas", field="ssh")
        if (name or DEFAULT) in found:
            raise BadInput("ssh has keys for default twice: an empty id is the same", field="ssh", hint=_FORM)
        if len(found) >= _MOST_KEYS:
            raise BadInput(f"ssh has more than {_MOST_KEYS} ids", field="ssh", hint=_FORM)
        found[name or DEFAULT] = _keys(given, f"ssh.{name}")
    return found


def ssh_texts(value: Any) -> list[str]:
    """Return the texts of all keys, for what has to be hidden; the field is read already."""
    found = value.values() if isinstance(value, Mapping) else [value]
    return [text for one in found for text in (one if isinstance(one, list) else [one])]


def _keys(given: Any, where: str) -> list[Key]:
    texts = given if isinstance(given, list) else [given]
    if not texts or len(texts) > _MOST_KEYS:
        raise BadInput(f"{where} must have 1 to {_MOST_KEYS} keys", field="ssh", hint=_FORM)
    return [_key(text, where) for text in texts]


def _key(text: Any, where: str) -> Key:
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise BadInput(f"{where} must be a private key as text", field="ssh", hint=_FORM)
    # Fields of one line lose the line ends of a key, or have them as \n.
    data = utf8(text.replace("\\n", "\n").strip() + "\n", where)
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in data else load_pem_private_key
    try:
        private = load(data, password=None)
    except TypeError:
        raise BadInput(f"{where} has a password", field="ssh", hint=_FORM) from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadInput(f"{where} cannot be read as a private key", field="ssh", hint=_FORM) from None
    if isinstance(private, EllipticCurvePrivateKey) and private.curve.name not in _CURVES:
        raise BadInput(f"{where} has the curve {private.curve.name}", field="ssh", hint=_FORM)
    if not isinstance(private, Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey):
        raise BadInput(f"{where} is neither Ed25519 nor ECDSA nor RSA", field="ssh", hint=_FORM)
    return Key(private)
