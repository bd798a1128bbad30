"""CPU of one call: the client beside a bare socket with httptools, by turns, on a server that only answers.

    .venv/bin/python -m bench.client [--calls N] [--rounds N] [--beside FOLDER]

`--beside` is another checkout of this project: its client is measured in the same turns, so that both have the same
machine. Its packages have to be installed in the interpreter that runs this.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PING = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nBuilder-Version: 2\r\nCache-Control: no-cache, no-store\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nDocker-Experimental: false\r\nOstype: linux\r\n"
    b"Pragma: no-cache\r\nServer: Docker/28.0 (linux)\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    b"Content-Length: 2\r\n\r\nOK"
)
BODY = json.dumps({"Id": "0" * 64, "Labels": {f"label{number}": "x" * 40 for number in range(32)}}).encode()
INSPECT = PING.replace(b"Content-Length: 2\r\n\r\nOK", b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY))
WARM_UP = 300
BATCH = 100
PATHS = {"ping": "/_ping", "inspect, 2 kB": "/containers/c/json"}


def serve(path: str) -> None:
    """Answer every request on every connection, one connection at a time."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(path)
    door.listen()
    while True:
        peer = door.accept()[0]
        while request := peer.recv(65536):
            head = request.startswith(b"HEAD ")
            answer = INSPECT if b"/containers/" in request[:60] else PING
            peer.sendall(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if head else answer)
        peer.close()


class Answer:
    """The least that an answer needs: its body."""

    def __init__(self) -> None:
        self.body = b""
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        pass

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = True


def bare(address: str, path: str) -> Callable[[], None]:
    """Return one call by a socket and httptools."""
    import httptools

    sock = socket.socket(socket.AF_UNIX)
    sock.connect(address)
    request = f"GET /v1.51{path} HTTP/1.1\r\nHost: docker\r\n\r\n".encode()

    def call() -> None:
        sock.sendall(request)
        answer = Answer()
        parser = httptools.HttpResponseParser(answer)
        while not answer.complete:
            parser.feed_data(sock.recv(65536))

    return call


def client(address: str, path: str) -> Callable[[], None]:
    """Return one call by the client of the folder that is first on the path."""
    from lib.engine import Endpoint, Engine

    engine = Engine(Endpoint.parse(f"unix://{address}"))
    return lambda: engine.get(path).raw and None


def measured(call: Callable[[], None], calls: int) -> float:
    """CPU of one call in microseconds: the least of many batches, since what disturbs only adds."""
    for _ in range(WARM_UP):
        call()
    found = []
    for _ in range(max(calls // BATCH, 1)):
        before = time.process_time()
        for _ in range(BATCH):
            call()
        found.append((time.process_time() - before) / BATCH * 1e6)
    return min(found)


def one(kind: str, folder: str, address: str, path: str, calls: int) -> float:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--one", kind, address, path, "--calls", str(calls)]
    env = {**os.environ, "PYTHONPATH": folder}
    return float(subprocess.run(command, env=env, capture_output=True, check=True, cwd=folder).stdout)


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    reader.add_argument("--calls", type=int, default=5000)
    reader.add_argument("--rounds", type=int, default=5)
    reader.add_argument("--beside", help="another checkout")
    reader.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given: Any = reader.parse_args()
    if given.one:
        kind, address, path = given.one
        print(measured({"bare": bare, "client": client}[kind](address, path), given.calls))
        return
    here = str(Path(__file__).parent.parent)
    rows = {"bare socket + httptools": ("bare", here), "client": ("client", here)}
    if given.beside:
        rows[f"client of {given.beside}"] = ("client", str(Path(given.beside).resolve()))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        address = f"{folder}/engine.sock"
        server = multiprocessing.get_context("fork").Process(target=serve, args=(address,), daemon=True)
        server.start()
        while not Path(address).exists():
            time.sleep(0.01)
        for name, path in PATHS.items():
            found: dict[str, list[float]] = {row: [] for row in rows}
            for _ in range(given.rounds):
                for row, (kind, where) in rows.items():
                    found[row].append(one(kind, where, address, path, given.calls))
            least = statistics.median(found["bare socket + httptools"])
            for row, values in found.items():
                middle = statistics.median(values)
                print(
                    f"{name:14} {row:40} {middle:7.1f} µs {middle / least:6.2f}",
                    flush=True,
                )
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
