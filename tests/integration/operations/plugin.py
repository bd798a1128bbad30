"""A plugin made on the spot, of busybox and a program of a hundred bytes that owns the socket the engine looks for."""

from __future__ import annotations

import io
import json
import platform
import struct
import tarfile
from typing import Any

from lib.local.sandbox.busybox_image import busybox_archive
from tests.lab.skipping import skip_anywhere

SOCKET = "lab.sock"
# Process 1 ends on TERM only if it says so, else disabling the plugin takes ten seconds.
SERVE = "trap 'kill $!; exit' TERM; /listen & wait"
CONFIG: dict[str, Any] = {
    "Description": "Does nothing",
    "Documentation": "",
    "Entrypoint": ["/bin/sh", "-c", SERVE],
    "Interface": {"Types": ["docker.labdriver/1.0"], "Socket": SOCKET},
    "Network": {"Type": "host"},
    "Env": [{"Name": "DEBUG", "Description": "", "Settable": ["value"], "Value": "0"}],
    "Linux": {"Capabilities": []},
}
# x86-64: unlink(path); fd = socket(AF_UNIX, SOCK_STREAM, 0); bind(fd, &address, 110); listen(fd, 8); pause() for ever.
# The address (family 1, then the path) follows the code.
CODE = bytes.fromhex(
    "488d3d4a000000b8570000000f05bf01000000be0100000031d2b8290000000f0589c389df488d3523000000"
    "ba6e000000b8310000000f0589dfbe08000000b8320000000f05b8220000000f05ebf70100"
)
HEADERS, START = 64 + 56, 0x400000


def plugin_archive() -> bytes:
    """What PluginCreate takes: config.json, and rootfs/ with everything the plugin needs."""
    target = io.BytesIO()
    with (
        tarfile.open(fileobj=target, mode="w") as archive,
        tarfile.open(fileobj=io.BytesIO(busybox_archive())) as root,
    ):
        _add(archive, "config.json", json.dumps(CONFIG).encode())
        _add(archive, "rootfs/listen", _program(f"/run/docker/plugins/{SOCKET}"), mode=0o755)
        for member in root.getmembers():
            member.name = f"rootfs/{member.name}"
            archive.addfile(member, root.extractfile(member) if member.isreg() else None)
    return target.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def _program(path: str) -> bytes:
    """An executable with one segment, which is the whole file."""
    if platform.machine() != "x86_64":
        skip_anywhere(f"the plugin's program is for x86-64, not for {platform.machine()}")
    body = CODE + path.encode().ljust(108, b"\0")
    size = HEADERS + len(body)
    head = struct.pack("<4sBBBB8x", b"\x7fELF", 2, 1, 1, 0)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, START + HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return head + struct.pack("<IIQQQQQQ", 1, 5, 0, START, START, size, size, 4096) + body
