"""The program behind `Supervisor`: runs one private service and removes all its traces when its owner ends.

It is a script that needs the standard library only. It reads orders from stdin, one JSON object per line, and writes
one answer for each. The end of stdin (the owner closed it, or ended) ends the service. This process is a subreaper:
each orphan of the service becomes its child, so that all processes that are left can be found and killed.
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
LISTENING = 3  # the first descriptor of systemd's socket activation
IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE)
CGROUPS = "/sys/fs/cgroup"

libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> None:
    """Make a system call for which Python 3.11 has no function; raises OSError when it fails."""
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


class Service:
    """The service: its namespaces, its program (`pid`, 0 before `start`), and the removal of its traces.

    `order` is the first line of stdin, with "folder", "cgroup", "private" and "network" as in `Supervisor`. Raises
    OSError when the machine allows no namespaces.
    """

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
        """Enter a new mount namespace, with empty folders mounted at `places`; its mounts end with its processes."""
        call("unshare", NEW_MOUNTS)
        call("mount", b"none", b"/", None, RECURSIVE_SLAVE, None)
        for number, place in enumerate(places):
            own = os.path.join(self.folder, f"private{number}")
            os.makedirs(own)
            os.makedirs(place, exist_ok=True)
            call("mount", own.encode(), place.encode(), None, BIND, None)

    def _own_network(self) -> None:
        """Make a network namespace that an open descriptor keeps; it has no name, so nothing must be removed later."""
        outer = os.open("/proc/self/ns/net", os.O_RDONLY)
        call("unshare", NEW_NETWORK)
        os.system("ip link set lo up")  # noqa: S605 - a constant command
        self.namespace = os.open("/proc/self/ns/net", os.O_RDONLY)
        call("setns", outer, NEW_NETWORK)
        os.close(outer)

    def start(self, order: dict[str, Any]) -> dict[str, Any]:
        """Start the program; with "listen" (a port) it gets a socket that listens on the loopback of the outer network.

        Returns the answer: "pid", and "port" or None.
        """
        listening = None
        if order["listen"] is not None:
            listening = socket.create_server(("127.0.0.1", order["listen"]))
        # The child ignores these signals at first, as this process does. Blocked ones wait until it no longer does.
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
            os.execvpe(order["command"][0], order["command"], environment)  # noqa: S606 - no shell
        except OSError as problem:
            os.write(2, f"{order['command'][0]}: {problem}\n".encode())
        finally:
            os._exit(127)

    def stop(self, seconds: float) -> dict[str, Any]:
        """Send the program SIGTERM, after `seconds` SIGKILL; return the answer: the "seconds" that it took."""
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
        """Kill all processes that are left, then remove mounts, folder and cgroups."""
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
    """Return whether this process has no child; the kernel knows, reading /proc would miss one orphaned meanwhile."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        return True
    return False


def children() -> Iterator[int]:
    """Yield the pids of all children; shims whose engine was killed are among them."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        with (
            contextlib.suppress(OSError),
            open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file,
        ):
            state, parent = file.read().rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                yield int(name)


def thaw(pid: int) -> None:
    """Resume a paused container's process: under cgroup v1 SIGKILL does not end a paused one."""
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
    """Remove the service's cgroup: under every controller (cgroup v1), or in the one tree (v2)."""
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
