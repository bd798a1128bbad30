"""Makes message ids: random ones, and ones derived from an input, so that a repeat of the input has the same ids."""

from __future__ import annotations

import hashlib
import os


def random_id() -> str:
    """Return a new UUID (version 4) as text."""
    return _uuid(os.urandom(16), version=4)


def derived_id(*parts: bytes | str) -> str:
    """Return a UUID (version 8) made of the parts by a hash: the same parts always give the same id."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode(errors="surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return _uuid(digest.digest(), version=8)


def _uuid(data: bytes, version: int) -> str:
    number = int.from_bytes(data, "big")
    number = number & ~(0xF << 76) | version << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
