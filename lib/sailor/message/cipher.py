"""The platform's encryption, AES-256-CBC (protocol 4.1), and the two forms of a sealed body (protocol 4.2)."""

from __future__ import annotations

import binascii
import hashlib
from typing import Any, Protocol

BLOCK = 16
RAW = 2
"""From this protocol version on a body is the cipher's bytes; in lower versions it is their base64."""

_URL_SAFE_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_PADDINGS = tuple(bytes([size]) * size for size in range(BLOCK + 1))


class Cipher(Protocol):
    """Seals (encrypts) and opens (decrypts) bytes; `open` raises ValueError for what it cannot open.

    `sealed_size` returns the bytes that `seal` makes of so many bytes.
    """

    def seal(self, plain: bytes) -> bytes: ...

    def open(self, sealed: bytes) -> bytes: ...

    def sealed_size(self, plain_size: int) -> int: ...


class Aes:
    """The platform's cipher for one password and one IV, which is the same for every message (protocol 4.1).

    Raises ValueError when the IV has not 16 bytes of UTF-8. Safe for threads.
    """

    def __init__(self, password: str, iv: str) -> None:
        self._key = hashlib.sha256(password.encode()).digest()
        self._iv = iv.encode()
        if len(self._iv) != BLOCK:
            raise ValueError(f"the IV must have {BLOCK} bytes")
        self._cipher: Any = None

    def seal(self, plain: bytes) -> bytes:
        encryptor = self._open_cipher().encryptor()
        padding = _PADDINGS[BLOCK - len(plain) % BLOCK]
        return bytes(encryptor.update(plain + padding) + encryptor.finalize())

    def open(self, sealed: bytes) -> bytes:
        if len(sealed) % BLOCK or not sealed:
            raise ValueError(f"{len(sealed)} bytes are no whole number of cipher blocks")
        decryptor = self._open_cipher().decryptor()
        padded = bytes(decryptor.update(sealed) + decryptor.finalize())
        size = padded[-1]
        if not 1 <= size <= BLOCK or not padded.endswith(_PADDINGS[size]):
            raise ValueError("the padding is wrong; the password or IV differs from the sender's")
        return padded[:-size]

    def sealed_size(self, plain_size: int) -> int:
        return plain_size - plain_size % BLOCK + BLOCK

    def _open_cipher(self) -> Any:
        if self._cipher is None:  # imported late: the step can consume before the first message needs it
            from cryptography.hazmat.primitives.ciphers import Cipher as Algorithm
            from cryptography.hazmat.primitives.ciphers import algorithms, modes

            self._cipher = Algorithm(algorithms.AES(self._key), modes.CBC(self._iv))
        return self._cipher

    def __repr__(self) -> str:
        return "Aes(<hidden>)"


class Plain:
    """The cipher of a run without a platform: it encrypts nothing."""

    def seal(self, plain: bytes) -> bytes:
        return plain

    def open(self, sealed: bytes) -> bytes:
        return sealed

    def sealed_size(self, plain_size: int) -> int:
        return plain_size


def to_wire(cipher: Cipher, text: bytes, version: int) -> bytes:
    """Return JSON text (UTF-8) sealed, in the form of a protocol version."""
    sealed = cipher.seal(text)
    return sealed if version >= RAW else binascii.b2a_base64(sealed, newline=False)


def from_wire(cipher: Cipher, body: bytes, version: float) -> bytes:
    """Return the JSON text (UTF-8) of a body; ValueError when it is no base64 or cannot be opened."""
    return cipher.open(body if version >= RAW else from_base64(body))


def wire_size(cipher: Cipher, text_size: int, version: int) -> int:
    """Return how many bytes `to_wire` makes of a text of `text_size` bytes, without sealing it."""
    sealed = cipher.sealed_size(text_size)
    return sealed if version >= RAW else (sealed + 2) // 3 * 4


def text_room(limit: int, version: int) -> int:
    """Return how many bytes a JSON text may have, so that `to_wire` makes at most `limit` bytes of it."""
    sealed = limit if version >= RAW else limit // 4 * 3
    return max(sealed - BLOCK, 0)


def from_base64(text: bytes) -> bytes:
    """Return the bytes of base64; ValueError when it is none. Line breaks and the URL-safe alphabet are accepted."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        compact = b"".join(text.split()).translate(_URL_SAFE_TO_STANDARD).rstrip(b"=")
        return binascii.a2b_base64(compact + b"=" * (-len(compact) % 4), strict_mode=True)
