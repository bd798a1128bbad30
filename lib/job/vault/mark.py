"""The mark of a content: a label by which a job recognises the content of a secret, which nobody can read back.

It is a salted scrypt, so the label lets nobody try guesses fast, and equal contents of two secrets have other marks.
One comparison takes some 0.2 seconds and 32 MiB.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from lib.job.repeat import PREFIX

MARK = f"{PREFIX}mark"
_COST, _BLOCK, _LANES = 15, 8, 3
_SALT, _HASH = 16, 32  # bytes
_MEMORY = 64 * 1024 * 1024
_HEAD = f"scrypt.{_COST}.{_BLOCK}.{_LANES}"
_FORM = re.compile(rf"{re.escape(_HEAD)}\.([0-9a-f]{{{2 * _SALT}}})\.([0-9a-f]{{{2 * _HASH}}})")
"""Its cost is fixed: a label that somebody wrote cannot make a comparison dear."""


def mark_of(content: bytes) -> str:
    """Return a mark of a content; each call has a salt of its own."""
    salt = secrets.token_bytes(_SALT)
    return f"{_HEAD}.{salt.hex()}.{_hashed(content, salt).hex()}"


def fits(mark: str, content: bytes) -> bool | None:
    """Return whether a mark is that of a content, None where it is no mark."""
    if not (found := _FORM.fullmatch(mark)):
        return None
    return hmac.compare_digest(bytes.fromhex(found[2]), _hashed(content, bytes.fromhex(found[1])))


def _hashed(content: bytes, salt: bytes) -> bytes:
    cost = 2**_COST
    return hashlib.scrypt(content, salt=salt, n=cost, r=_BLOCK, p=_LANES, maxmem=_MEMORY, dklen=_HASH)
