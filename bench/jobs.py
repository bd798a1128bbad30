"""What jobs cost: `python -m bench.jobs [--rounds N] [--only RunContainer] [--containers 500] [--megabytes 100]`.

Each job is one message through its step, in a process that has its connections, as a worker of the platform has; beside
it stands the docker command line that does the same, on the same private engine. Both do it once through a proxy that
counts calls and bytes, then by turns without it: so the proxy is in no time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.counting import Counting
from tests.actions.stepping import forget_engines, run_step
from tests.lab.engine import IMAGE, LabEngine

ROOT = Path(__file__).resolve().parents[1]
LINE = 100
"""Bytes of a line of the log that is searched."""
RARE = 10_000
"""One line of so many matches."""
WRITER = (
    'BEGIN {for (n = 1; n <= %d; n++) printf "%%s %%010d %%080d\\n", n %% %d ? "usual-" : "needle", n, 0}'
)
HEAD = (
    f"{'job':15} {'who':7} {'calls':>5} {'kB read':>8} {'ms':>8} {'least':>8} {'most':>8} {'CPU ms':>8}"
    f"  {'ms against docker':>17}"
)


@dataclass(frozen=True)
class Row:
    """A job, and a command line (for a shell; `docker` is its own) that does the same. `good` looks at an output."""

    key: str
    body: Mapping[str, Any]
    command: str
    good: Callable[[Mapping[str, Any]], bool]
    before: Callable[[LabEngine], object] = lambda _: None
    """Called before each time, outside of what is measured."""
    once: Callable[[LabEngine], object] = lambda _: None


@dataclass
class Cost:
    """What one side of a row cost: `ms` and `cpu` (milliseconds of user and system) of each round."""

    key: str
    who: str
    calls: list[str] = field(default_factory=list)
    read: int = 0
    ms: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def unchanged(output: Mapping[str, Any]) -> bool:
    return output["action"] == "none" and not output["changed"]


def rows(containers: int, megabytes: int) -> list[Row]:
    """Return all rows; one whose job this version does not have is left out by `costs`."""
    lines = megabytes * 10**6 // LINE
    hits = lines // RARE

    def made(engine: LabEngine) -> None:
        for _ in range(containers):
            engine.create(["true"])

    def talked(engine: LabEngine) -> None:
        engine.wait(engine.run(["awk", WRITER % (lines, RARE)], name="bench-log"))

    there = {"name": "bench-container", "image": IMAGE, "command": ["sleep", "600"], "labels": {"a": "b"}}
    return [
        Row(
            "RunContainer",
            {"image": IMAGE, "command": ["true"]},
            f"docker run --rm {IMAGE} true",
            lambda output: bool(output["exitCode"] == 0 and output["ok"]),
        ),
        Row("EnsureImage", {"reference": IMAGE}, f"docker image inspect {IMAGE}", unchanged),
        Row("EnsureVolume", {"name": "bench"}, "docker volume create bench", unchanged),
        Row("EnsureNetwork", {"name": "bench"}, "docker network inspect bench", unchanged),
        Row("EnsureContainer", there, "docker container inspect bench-container", unchanged),
        Row(
            "PruneEngine",
            {"what": ["containers"]},
            "docker container prune --force",
            lambda output: len(output["removed"]) == containers and not output["failed"],
            before=made,
        ),
        Row(
            "SearchLogs",
            {"target": "bench-log", "pattern": "^needle [0-9]+", "maxMatches": 1000},
            f"test $(docker logs bench-log | grep -E '^needle [0-9]+' | wc -l) = {hits}",
            lambda output: bool(output["matches"] == hits),
            once=talked,
        ),
    ]


def costs(engine: LabEngine, measured: Sequence[Row], rounds: int) -> Iterator[list[Cost]]:
    """Measure row by row; yield both sides of each, the job alone where there is no docker command line."""
    known = json.loads((ROOT / "component.json").read_text())["actions"]
    for row in measured:
        if row.key not in known:
            print(f"{row.key:15} skipped: this version has no such job", flush=True)
            continue
        row.once(engine)
        if row.key.startswith("Ensure"):
            _job(row, engine.url, check=False)  # from here on there is no difference
        sides = {"job": _job, "docker": _docker} if shutil.which("docker") else {"job": _job}
        found = {who: Cost(row.key, who) for who in sides}
        for who, run in sides.items():
            row.before(engine)
            with (
                tempfile.TemporaryDirectory(prefix="jobs-") as folder,
                closing(Counting(f"{folder}/s", engine.socket)) as proxy,
            ):
                if who == "job":
                    _connected(proxy.path)
                    proxy.calls.clear()
                    proxy.read = 0
                run(row, f"unix://{proxy.path}")
                forget_engines()
                found[who].calls, found[who].read = proxy.calls, proxy.read
        _connected(engine.socket)
        for number in range(rounds):
            for who in sides if number % 2 == 0 else reversed(sides):
                row.before(engine)
                before, began = _cpu(), time.perf_counter()
                sides[who](row, engine.url)
                found[who].ms.append((time.perf_counter() - began) * 1000)
                found[who].cpu.append((_cpu() - before) * 1000)
        yield list(found.values())


def _connected(path: str) -> None:
    """Let steps have the connection, and the version of the API, that a worker has after its first message."""
    run_step("SystemPing", {}, _config(f"unix://{path}"))


def _config(url: str) -> dict[str, str]:
    return {"server": "2", "otherServer": url}


def _job(row: Row, url: str, *, check: bool = True) -> None:
    config = _config(url) | ({"maxSeconds": "600"} if row.key == "SearchLogs" else {})
    outcome = run_step(row.key, dict(row.body), config, headers={"messageId": str(uuid.uuid4())})
    if outcome.errors or not outcome.bodies or (check and not row.good(outcome.bodies[0])):
        raise RuntimeError(f"{row.key} did not do it: {outcome.errors or outcome.bodies}"[:1000])


def _docker(row: Row, url: str) -> None:
    with tempfile.TemporaryDirectory(prefix="jobs-") as folder:
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "DOCKER_HOST": url}
        subprocess.run(row.command, shell=True, env=environment, stdout=subprocess.DEVNULL, check=True)


def _cpu() -> float:
    """CPU seconds of this process and of the children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def line(cost: Cost, beside: Cost) -> str:
    """Return one line of the table."""
    middle, other = statistics.median(cost.ms), statistics.median(beside.ms)
    return (
        f"{cost.key:15} {cost.who:7} {len(cost.calls):5} {cost.read / 1000:8.1f} {middle:8.1f} {min(cost.ms):8.1f}"
        f" {max(cost.ms):8.1f} {statistics.median(cost.cpu):8.1f}  {middle / other:17.2f}"
    )


def main(arguments: Sequence[str]) -> None:
    """Measure, and print a line for each side of each row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="pairs of each row")
    parser.add_argument("--only", action="append", help="only this job (may be repeated)")
    parser.add_argument("--containers", type=int, default=500, help="that are pruned")
    parser.add_argument("--megabytes", type=int, default=100, help="of the log that is searched")
    parser.add_argument("--calls", action="store_true", help="show the calls of each side too")
    options = parser.parse_args(arguments)
    chosen = rows(options.containers, options.megabytes)
    chosen = [row for row in chosen if not options.only or row.key in options.only]
    with closing(LabEngine.begin()) as engine:
        print(HEAD, flush=True)
        for sides in costs(engine, chosen, options.rounds):
            for cost in sides:
                print(line(cost, sides[-1]), flush=True)
                if options.calls:
                    print("\n".join(f"    {call}" for call in cost.calls), flush=True)
    forget_engines()


if __name__ == "__main__":
    main(sys.argv[1:])
