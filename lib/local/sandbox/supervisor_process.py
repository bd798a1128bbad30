"""The program behind `Supervisor`: runs one private service and removes every trace of it when its owner ends.

It is started as a plain script with nothing but the standard library. Lines of JSON come in on stdin, one
answer goes out for each; the end of stdin (the owner closed it, or died) ends the service. Being the
subreaper, it inherits each orphan of the service, so that whatever is left can be ended by its pid.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

NEW_MOUNTS, NEW_NETWORK = 0x00020000, 0x40000000
RECURSIVE_SLAVE, BIND, DETACH = 0x84000, 0x1000, 2
DEATH_SIGNAL, SUBREAPER = 1, 36
LISTENING = 3  # the first descriptor that systemd's convention hands over
IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE)
CGROUPS = "/sys/fs/cgroup"

libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> None:
    """Make a system call that Python 3.11 has no function for; raise OSError if it fails."""
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


class Service:
    def __init__(self, order: dict[str, Any]) -> None:
        self.folder: str = order["folder"]
        self.cgroup: str = order["cgroup"]
        self.pid = 0
        self.namespace: int | None = None
        if order["private"]:
            self._own_mounts(order["private"])
        if order["network"]:
            self._own_network()

    def _own_mounts(self, places: list[str]) -> None:
        """Mounts end with the processes, and for `places` (system folders) there are empty own ones."""
        call("unshare", NEW_MOUNTS)
        call("mount", b"none", b"/", None, RECURSIVE_SLAVE, None)
        for number, place in enumerate(places):
            own = os.path.join(self.folder, f"private{number}")
            os.makedirs(own)
            os.makedirs(place, exist_ok=True)
            call("mount", own.encode(), place.encode(), None, BIND, None)

    def _own_network(self) -> None:
        """A network namespace kept by a descriptor: no name, and nothing to remove later."""
        outer = os.open("/proc/self/ns/net", os.O_RDONLY)
        call("unshare", NEW_NETWORK)
        os.system("ip link set lo up")  # noqa: S605 - this process is small and single, a shell is fine
        self.namespace = os.open("/proc/self/ns/net", os.O_RDONLY)
        call("setns", outer, NEW_NETWORK)
        os.close(outer)

    def start(self, order: dict[str, Any]) -> dict[str, Any]:
        """Start the program; with "listen" it is handed a socket that listens on the loopback out here."""
        listening = None
        if order["listen"] is not None:
            listening = socket.create_server(("127.0.0.1", order["listen"]))
        # Held back until the child no longer ignores them as this process does, or an early one would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
        self.pid = os.fork()
        if self.pid == 0:
            self._become(order, listening)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
        port = None
        if listening is not None:
            port = listening.getsockname()[1]
            listening.close()
        return {"pid": self.pid, "port": port}

    def _become(self, order: dict[str, Any], listening: socket.socket | None) -> None:
        try:
            os.setsid()
            call("prctl", DEATH_SIGNAL, signal.SIGTERM)
            environment = dict(order["environment"])
            silent = os.open(os.devnull, os.O_RDONLY)
            log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for source, target in ((silent, 0), (log, 1), (log, 2)):
                os.dup2(source, target)
            if self.namespace is not None:
                call("setns", self.namespace, NEW_NETWORK)
            if listening is not None:
                os.dup2(listening.fileno(), LISTENING)
                os.set_inheritable(LISTENING, True)
                environment |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
            for number in IGNORED:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
            os.execvpe(order["command"][0], order["command"], environment)  # noqa: S606 - the purpose of all this
        except OSError as problem:
            os.write(2, f"{order['command'][0]}: {problem}\n".encode())
        finally:
            os._exit(127)

    def stop(self, seconds: float) -> dict[str, Any]:
        """Ask the program to end, insist after `seconds`."""
        asked = time.monotonic()
        for number in (signal.SIGTERM, signal.SIGCONT):
            self._signal(self.pid, number)
        while alive(self.pid) and time.monotonic() - asked < seconds:
            time.sleep(0.02)
        if alive(self.pid):
            self._signal(self.pid, signal.SIGKILL)
        while alive(self.pid):
            time.sleep(0.02)
        return {"seconds": time.monotonic() - asked}

    def remove(self) -> None:
        """End what is left, then take down mounts, cgroups and the folder."""
        while not childless():
            for pid in children():
                thaw(pid)
                self._signal(pid, signal.SIGKILL)
            time.sleep(0.02)
        for place in sorted(mounts_below(self.folder), reverse=True):
            with contextlib.suppress(OSError):
                call("umount2", place.encode(), DETACH)
        if not list(mounts_below(self.folder)):
            shutil.rmtree(self.folder, ignore_errors=True)
        remove_cgroups(self.cgroup)

    @staticmethod
    def _signal(pid: int, number: int) -> None:
        if pid > 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def alive(pid: int) -> bool:
    return pid > 0 and os.path.exists(f"/proc/{pid}")


def reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass


def childless() -> bool:
    """Tell whether the kernel knows no child; a look through /proc misses one that becomes ours meanwhile."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        return True
    return False


def children() -> Iterator[int]:
    """All processes whose parent is this one (a shim whose engine was killed is one of them)."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        with (
            contextlib.suppress(OSError),
            open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file,
        ):
            state, parent = file.read().rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                yield int(name)


def thaw(pid: int) -> None:
    """A paused container does not even notice SIGKILL under cgroup v1."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
        for line in file:
            _, controllers, path = line.strip().split(":", 2)
            if controllers == "freezer" and path != "/":
                with open(f"{CGROUPS}/freezer{path}/freezer.state", "w", encoding="utf-8") as switch:
                    switch.write("THAWED")


def mounts_below(folder: str) -> Iterator[str]:
    with open("/proc/self/mounts", encoding="utf-8") as file:
        for line in file:
            place = line.split(" ")[1].encode().decode("unicode_escape")
            if place.startswith(folder + "/"):
                yield place


def remove_cgroups(name: str) -> None:
    """Remove the service's own cgroup under every controller (v1) or in the one tree (v2)."""
    if not name or not os.path.isdir(CGROUPS):
        return
    for top in {CGROUPS, *(os.path.realpath(entry.path) for entry in os.scandir(CGROUPS) if entry.is_dir())}:
        for place, _, _ in os.walk(os.path.join(top, name), topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(place)


def main() -> None:
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, reap)
    call("prctl", SUBREAPER, 1)
    first = json.loads(sys.stdin.readline())
    answer: dict[str, Any] = {}
    try:
        service = Service(first)
        answer = {"namespace": service.namespace}
    except OSError as problem:
        shutil.rmtree(first["folder"], ignore_errors=True)
        answer = {"error": str(problem)}
    print(json.dumps(answer), flush=True)
    if "error" in answer:
        return
    try:
        for line in sys.stdin:
            order = json.loads(line)
            answer = service.start(order) if "command" in order else service.stop(order["stop"])
            with contextlib.suppress(OSError):
                print(json.dumps(answer), flush=True)
    finally:
        service.stop(first["patience"])
        service.remove()


if __name__ == "__main__":
    main()
