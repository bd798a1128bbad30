"""Programs where no name is resolved: the name server takes each question and never answers.

`run` starts this file as a script in a child process, with namespaces of its own for network and mounts: the name
server is a real socket on the port of DNS, and the files that the system's resolver reads name it alone.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.lab.skipping import missing
from tests.lab.waiting import DEADLINE

NEW_MOUNTS, NEW_NETWORK = 0x00020000, 0x40000000
RECURSIVE_PRIVATE, BIND = 0x44000, 0x1000
SERVER = "127.0.0.53"
FILES = {
    "/etc/resolv.conf": f"nameserver {SERVER}\noptions timeout:30 attempts:5\n",
    "/etc/nsswitch.conf": "hosts: files dns\n",
}
"""The resolver gives up after five minutes at the earliest, long after DEADLINE."""
ROOT = Path(__file__).parent.parent.parent


def run(program: str, *arguments: str) -> str:
    """Return what a program of Python prints; it fails when it goes on after DEADLINE, or never asked for a name."""
    if os.geteuid() != 0:
        missing("a name server of one's own needs root")
    command = [sys.executable, "-m", "tests.lab.silent_names", program, *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _main(program: str) -> int:
    with tempfile.TemporaryDirectory() as folder, _name_server(Path(folder)) as server:
        exec(compile(program, "program", "exec"), {"__name__": "program"})
        server.settimeout(DEADLINE)  # the question may come after the call has given up
        return 0 if b"\x07nowhere" in server.recv(512) else 1


def _name_server(folder: Path) -> socket.socket:
    _call("unshare", NEW_MOUNTS | NEW_NETWORK)
    _call("mount", b"none", b"/", None, RECURSIVE_PRIVATE, None)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=DEADLINE)
    for number, (path, text) in enumerate(FILES.items()):
        own = folder / str(number)
        own.write_text(text, "ascii")
        _call("mount", str(own).encode(), os.path.realpath(path).encode(), None, BIND, None)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((SERVER, 53))
    return server


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{name} {arguments}")


if __name__ == "__main__":
    sys.argv.pop(0)
    sys.stdout.flush()
    code = _main(sys.argv[0])
    sys.stdout.flush()
    os._exit(code)  # threads that still ask for a name hold up no one
