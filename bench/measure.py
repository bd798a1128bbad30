"""One measurement: a contestant at one case, at prefetch 1 and at prefetch 20."""

from __future__ import annotations

import http.client
import json
import socket
import statistics
import threading
import time
from dataclasses import dataclass
from typing import Any

from bench.cases import Case
from bench.contestants import Contestant
from bench.queues import Queues

MANY = 20
WARM_UP = 100
ALONE = 200
"""Messages sent one at a time, for the latency, and of the load at prefetch 1: some need 50 ms each there."""


@dataclass(frozen=True)
class Result:
    """What one measurement gave; CPU seconds per 1,000 messages."""

    start_ms: float
    rate_1: float
    rate_20: float
    p50_ms: float
    p99_ms: float
    cpu_1: float
    cpu_20: float
    peak_mib: float


def measure(who: Contestant, case: Case, queues: Queues, platform_url: str) -> Result:
    """Run a contestant twice, once for each prefetch."""
    count = case.messages
    queues.purge()
    with who.start(queues, platform_url, case.function, 1) as running:
        starts = [running.seconds_to_consume]
        queues.latencies(case.body, WARM_UP)
        took = sorted(queues.latencies(case.body, ALONE))
        rate_1, cpu_1 = _load(running, queues, case, ALONE)
        _check(who, case, queues)
    with who.start(queues, platform_url, case.function, MANY) as running:
        starts.append(running.seconds_to_consume)
        _load(running, queues, case, WARM_UP)
        rate_20, cpu_20 = _load(running, queues, case, count)
        peak = running.peak_mib()
    queues.purge()
    return Result(
        min(starts) * 1000,
        rate_1,
        rate_20,
        took[len(took) // 2] * 1000,
        took[len(took) * 99 // 100] * 1000,
        cpu_1,
        cpu_20,
        peak,
    )


def _load(running: Any, queues: Queues, case: Case, count: int) -> tuple[float, float]:
    """Messages a second and CPU seconds per 1,000, for inputs that come faster than they can be worked on."""
    queues.purge()
    before, began = running.cpu(), time.perf_counter()
    queues.put(case.body, count)
    queues.wait(count)
    seconds = time.perf_counter() - began
    return count / seconds, (running.cpu() - before) / count * 1000


def _check(who: Contestant, case: Case, queues: Queues) -> None:
    body = queues.take()
    if not who.echo and not case.right(body):
        raise RuntimeError(f"{who.name} does {case.function} wrongly: {str(body)[:200]}")


def engine_rate(path: str, case: Case, threads: int = 4) -> float:
    """Calls a second that the engine answers to a client that does nothing else."""
    count = case.messages // 2
    body = json.dumps(case.body["requestBody"]) if case.method == "POST" else None

    def work() -> None:
        connection = http.client.HTTPConnection("docker")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(path)
        for _ in range(count // threads):
            connection.request(case.method, "/v1.41" + case.path, body, {"Content-Type": "application/json"})
            connection.getresponse().read()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return count / (time.perf_counter() - began)


def median(results: list[Result]) -> Result:
    """The middle of several rounds, value by value."""
    names = Result.__dataclass_fields__
    return Result(**{name: statistics.median(getattr(result, name) for result in results) for name in names})
