"""Reads the header X-Docker-Container-Path-Stat of ContainerArchive and ContainerArchiveInfo."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from lib import jsontext
from lib.engine.errors import StreamFailed

HEADER = "X-Docker-Container-Path-Stat"

# Go's file modes (package io/fs): the lowest nine bits are the permissions of Unix, the highest ones the type.
_DIRECTORY, _LINK, _DEVICE, _PIPE, _SOCKET = 1 << 31, 1 << 27, 1 << 26, 1 << 25, 1 << 24
_KINDS = (
    (_DIRECTORY, "directory"),
    (_LINK, "link"),
    (_DEVICE, "device"),
    (_PIPE, "pipe"),
    (_SOCKET, "socket"),
    (1 << 19, "irregular"),
)
_SPECIAL = ((1 << 23, 0o4000), (1 << 22, 0o2000), (1 << 20, 0o1000))  # setuid, setgid, sticky


def path_stat(header: str) -> dict[str, Any]:
    """Return name, size, mode (Go's), mtime, linkTarget as sent; and kind, permissions, isDirectory, isLink.

    `permissions` is octal text as for chmod. Raises StreamFailed for a header that cannot be read.
    """
    try:
        stat = jsontext.decode(base64.b64decode(header, validate=True))
        mode = int(stat["mode"])
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError) as fault:
        raise StreamFailed(f"The engine's header {HEADER} cannot be read: {header[:60]!r}") from fault
    return {
        **stat,
        "kind": next((kind for bit, kind in _KINDS if mode & bit), "file"),
        "permissions": f"{mode & 0o777 | sum(unix for bit, unix in _SPECIAL if mode & bit):04o}",
        "isDirectory": bool(mode & _DIRECTORY),
        "isLink": bool(mode & _LINK),
    }
