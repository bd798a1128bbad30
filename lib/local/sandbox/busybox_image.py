"""Makes an image from Debian's static busybox, so that no registry is needed."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile

BINARY = "busybox"


class LocalImageError(Exception):
    """The image cannot be made; the text has the reason."""


def busybox_archive() -> bytes:
    """Return a root file system as tar, with busybox and a link for each of its programs; raises LocalImageError."""
    binary = shutil.which(BINARY, path="/bin:/usr/bin:" + os.environ.get("PATH", ""))
    if binary is None:
        raise LocalImageError("busybox is not installed: install the package busybox-static")
    names = subprocess.run([binary, "--list"], capture_output=True, text=True, check=True).stdout.split()
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for folder, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777), ("root", 0o700)):
            archive.addfile(_entry(folder, tarfile.DIRTYPE, mode))
        accounts = b"root:x:0:0:root:/root:/bin/sh\n"
        archive.addfile(_entry("etc/passwd", size=len(accounts)), io.BytesIO(accounts))
        with open(binary, "rb") as file:
            archive.addfile(_entry("bin/busybox", mode=0o755, size=os.path.getsize(binary)), file)
        for name in names:
            if name != BINARY:
                link = _entry(f"bin/{name}", tarfile.SYMTYPE, 0o777)
                link.linkname = BINARY
                archive.addfile(link)
    return target.getvalue()


def _entry(name: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, size: int = 0) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size = kind, mode, size
    return entry
