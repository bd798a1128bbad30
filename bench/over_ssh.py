"""2 GiB out of an engine by its socket and over SSH: `python -m bench.over_ssh [GiB]` prints rates, CPU and memory.

A container's files are exported and read to the end: at the unix socket, over SSH with the socket forwarded, and over
SSH with `docker system dial-stdio`; then a small call many times. SSH server and engine run on this machine. The growth
is that of the resident memory at its highest; the exit code is 1 if SSH needs more than ALLOWED.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from bench.memory import resident
from lib.credentials import new_engine
from lib.engine import Engine
from tests.lab.engine import LabEngine
from tests.lab.ssh_server import SshServer

ALLOWED = 50
"""MiB."""
CALLS = 500
AT_ONCE = 8
GIB = 1 << 30


def exported(name: str, engine: Engine, container: str) -> float:
    """Read the export of a container; the growth of memory in MiB."""
    engine.get("/_ping")
    with open("/proc/self/clear_refs", "w", encoding="ascii") as peak:
        peak.write("5")  # the highest figure starts anew
    before, began, spent = resident("VmRSS"), time.perf_counter(), time.process_time()
    with engine.tar("/containers/{id}/export", {"id": container}) as pieces:
        size = sum(map(len, pieces))
    seconds, growth = time.perf_counter() - began, resident("VmHWM") - before
    cpu = (time.process_time() - spent) / (size / GIB)
    print(
        f"{name:18} {size / GIB:6.2f} GiB {seconds:6.1f} s {size / (1 << 20) / seconds:6.0f} MiB/s "
        f"{cpu:5.1f} CPU s/GiB {growth:6.1f} MiB more",
        flush=True,
    )
    return growth


def called(name: str, engine: Engine) -> None:
    """A small call, one after the other and by several threads at once."""

    def calls() -> None:
        for _ in range(CALLS):
            engine.get("/_ping")

    calls()
    began = time.perf_counter()
    calls()
    alone = (time.perf_counter() - began) / CALLS
    threads = [threading.Thread(target=calls) for _ in range(AT_ONCE)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = AT_ONCE * CALLS / (time.perf_counter() - began)
    print(f"{name:18} {alone * 1000:6.2f} ms a ping, {rate:6.0f} a second by {AT_ONCE} threads", flush=True)


def main() -> int:
    size = float(sys.argv[1]) if len(sys.argv) > 1 else 2
    engine, forwards, runs = LabEngine.begin(), SshServer(), SshServer(forwarding=False, docker=True)
    try:
        write = f"dd if=/dev/urandom of=/big bs=1048576 count={int(size * 1024)}"
        container = engine.run(["sh", "-c", write])
        if engine.wait(container) != 0:
            sys.exit("The container could not write its file")
        ways: dict[str, Mapping[str, Any]] = {
            "unix socket": {"server": engine.url},
            "ssh, forwarded": forwards.credential(engine.socket),
            "ssh, dial-stdio": runs.credential(engine.socket),
        }
        highest = 0.0
        for round_ in (1, 2):
            for name, config in ways.items() if round_ == 1 else reversed(ways.items()):
                with new_engine(config) as client:
                    growth = exported(name, client, container)
                    highest = max(highest, growth if "ssh" in name else 0)
        for name, config in ways.items():
            with new_engine(config) as client:
                called(name, client)
        print(f"at most {highest:.1f} MiB more over SSH, {ALLOWED} are allowed; {os.cpu_count()} processors")
        return int(highest > ALLOWED)
    finally:
        engine.close()
        forwards.close()
        runs.close()


if __name__ == "__main__":
    sys.exit(main())
