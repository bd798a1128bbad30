"""What a quiet poll costs, by trigger and number of objects: `python -m bench.polls [--before FOLDER] [--real]`.

Calls, milliseconds, bytes of the snapshot and of the object beside it, for the first quiet poll of each trigger;
`--before` is a checkout of another version, to be measured beside this one. Engines: stand-ins on unix sockets that
answer as 20.10 and as one of API 1.52 do; `--real`: a private engine, 10 and 100 objects.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bench.counting import Counting
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until

ROOT = Path(__file__).resolve().parents[1]
APIS = {"20.10": "1.41", "1.52": "1.52"}
NUMBERS = (10, 100, 500, 2000)
SECONDS = 90
"""Polls that take longer together are not waited for."""
POLLS = {"resource_threshold": 2}
"""How many; what was looked at is looked at again by the next, so a third is the first quiet one."""
HEAD = f"{'engine':8} {'trigger':22} {'objects':>7} {'who':7} {'calls':>7} {'ms':>7} {'snapshot':>9} {'object':>7}"
CONFIGS: dict[str, Callable[[int], dict[str, Any]]] = {
    "engine_events": lambda _: {},
    "container_state_changed": lambda _: {},
    "container_logs": lambda _: {},
    "image_updated": lambda number: {
        "references": [f"registry.example:5000/shop/web{one}:1" for one in range(number)],
        "minutes": "0",
    },
    "resource_threshold": lambda _: {"cpuPercent": "80", "memoryPercent": "80"},
    "task_failed": lambda _: {},
    "disk_usage": lambda _: {"volumesGigabytes": "50"},
    "object_changed": lambda _: {},
}
LOCAL = ("engine_events", "container_state_changed", "container_logs", "resource_threshold", "disk_usage")


def main(arguments: Sequence[str]) -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="a checkout of another version")
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--api", choices=APIS, help="only one of the stand-ins")
    parser.add_argument("--only", action="append", help="a module of triggers/ (may be repeated)")
    options = parser.parse_args(arguments)
    people = {"now": ROOT, **({"before": options.before} if options.before else {})}
    print(HEAD, flush=True)
    for name, number, path in _real() if options.real else _stand_ins(options.api):
        modules = [one for one in CONFIGS if not options.only or one in options.only]
        for module in modules:
            if not options.real or module in LOCAL:
                for who, folder in people.items():
                    told = measured(module, CONFIGS[module](number), path, folder)
                    print(f"{name:8} {module:22} {number:7} {who:7} {_line(told)}", flush=True)


def _stand_ins(only: str | None) -> Iterator[tuple[str, int, str]]:
    for name in [only] if only else APIS:
        for number in NUMBERS:
            with (
                tempfile.TemporaryDirectory(prefix="polls-") as folder,
                _serving(folder, number, APIS[name]) as path,
            ):
                yield name, number, path


@contextmanager
def _serving(folder: str, number: int, api: str) -> Iterator[str]:
    path = f"{folder}/engine"
    server = subprocess.Popen([sys.executable, "-m", "bench.many", path, str(number), api], cwd=ROOT)
    try:
        wait_until(lambda: Path(path).exists(), "the engine")
        yield path
    finally:
        server.terminate()
        server.wait()


def _real() -> Iterator[tuple[str, int, str]]:
    with closing(LabEngine.begin()) as engine:
        made = 0
        for number in NUMBERS[:2]:
            while made < number:
                made += 1
                engine.run(["sh", "-c", "echo started; sleep 6000"], name=f"web-{made}")
            yield f"{engine.version[:5]} r", number, engine.socket


def measured(module: str, config: dict[str, Any], path: str, folder: Path) -> dict[str, Any]:
    """Poll three times in a process of its own, with the code in `folder`."""
    with (
        tempfile.TemporaryDirectory(prefix="polls-") as place,
        closing(Counting(f"{place}/s", path)) as counting,
    ):
        kept = Path(place, "objects")
        kept.mkdir()
        config = {"server": "2", "otherServer": f"unix://{counting.path}", **config}
        worker = [sys.executable, str(ROOT / "bench/poll_worker.py"), module, json.dumps(config), str(kept)]
        try:
            done = subprocess.run(
                [*worker, f"{counting.path}.count", str(POLLS.get(module, 3))],
                cwd=folder,
                capture_output=True,
                timeout=SECONDS,
                check=True,
            )
        except subprocess.TimeoutExpired:
            return {"error": "> 90 s"}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _line(told: dict[str, Any]) -> str:
    if "error" in told:
        return str(told["error"])
    return f"{told['calls']:7} {told['ms']:7.0f} {told['snapshot']:9} {told['object'] or '':>7}"


if __name__ == "__main__":
    main(sys.argv[1:])
