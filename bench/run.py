"""`.venv/bin/python -m bench.run`: this runtime, the Node runtime and a bare echo side by side, in one table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing

from bench.cases import Case, cases
from bench.contestants import Contestant, contestants
from bench.measure import Result, engine_rate, measure, median
from bench.queues import Queues
from bench.stand_in import Platform
from tests.lab.broker import Broker
from tests.lab.engine import LabEngine

HEAD = (
    f"{'operation':17} {'who':8} {'start ms':>8} {'msg/s @1':>9} {'msg/s @20':>9} {'p50 ms':>7} {'p99 ms':>7}"
    f" {'CPU s/1000 @1':>13} {'@20':>6} {'MiB':>5}  CPU against {'node':>5}"
)


def main(arguments: Sequence[str]) -> None:
    options = parse(arguments)
    people = [who for who in contestants() if not options.only or who.name in options.only]
    for number, command in enumerate(options.command):
        people.append(Contestant(f"other{number + 1}", tuple(command.split()), options.component))
    with closing(LabEngine.begin()) as engine, closing(Broker()) as broker:
        # Queues fill here; nobody is to be blocked for it.
        broker.ctl("set_vm_memory_high_watermark", "absolute", "2GB")
        measured = [case for case in cases(engine) if not options.case or case.function in options.case]
        config = {"server": "2", "otherServer": engine.url}
        with closing(Platform(config)) as platform, closing(Queues(broker.uri)) as queues:
            print(HEAD, flush=True)
            for case in measured:
                results = rounds(options.rounds, people, case, queues, platform.url)
                show(case, results, engine_rate(engine.socket, case))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=1, help="repeat, order reversed each time, show medians"
    )
    parser.add_argument("--case", action="append", help="only this operation (may be repeated)")
    parser.add_argument(
        "--only", action="append", help="only this one: python, node or echo (may be repeated)"
    )
    parser.add_argument("--command", action="append", default=[], help="measure this start command as well")
    parser.add_argument("--component", default="", help="the component's folder for --command")
    return parser.parse_args(arguments)


def rounds(
    count: int, people: Sequence[Contestant], case: Case, queues: Queues, platform_url: str
) -> dict[str, Result]:
    """Everybody once per round, in turns, so that a slow moment of the machine hits all."""
    found: dict[str, list[Result]] = {who.name: [] for who in people}
    for number in range(count):
        for who in people if number % 2 == 0 else reversed(people):
            found[who.name].append(measure(who, case, queues, platform_url))
    return {name: median(results) for name, results in found.items()}


def show(case: Case, results: dict[str, Result], engine: float) -> None:
    node = results.get("node")
    for name, one in results.items():
        ratio = f"{one.cpu_20 / node.cpu_20:.2f}" if node and node.cpu_20 else ""
        print(
            f"{case.function:17} {name:8} {one.start_ms:8.0f} {one.rate_1:9.0f} {one.rate_20:9.0f} {one.p50_ms:7.1f}"
            f" {one.p99_ms:7.1f} {one.cpu_1:13.2f} {one.cpu_20:6.2f} {one.peak_mib:5.0f}  {ratio:>17}",
        )
    print(f"{case.function:17} engine {'':8} {'':10} {engine:9.0f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
