"""All triggers on an engine that never rests: `python -m bench.trigger_soak [--minutes 10] [--engine 20.10|28.5]`.

Prints what happened, what was told, lost, told falsely and told again, a line for each trigger, and each fault in
words. `--seed` does the same again, as far as an engine does. The exit code is 1 where something was lost in silence,
false, or had two ids.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tests.lab.engine import LabEngine
from tests.lab.newer import binaries
from tests.lab.registry import Registry
from tests.triggers.soak.soak import run
from tests.triggers.soak.verdict import Verdict, table

SUITES = {"20.10": "", "28.5": "sid"}


def main(arguments: Sequence[str]) -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--engine", choices=SUITES, default="20.10", help="the system's own, or the newest")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--keep", type=Path, help="a folder for what was told and what happened, as JSON")
    options = parser.parse_args(arguments)
    if options.keep:
        options.keep.mkdir(parents=True)
    suite = SUITES[options.engine]
    with (
        closing(LabEngine.begin(binaries=str(binaries(suite)) if suite else "")) as engine,
        closing(Registry(engine)) as registry,
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
    ):
        print(
            f"engine {engine.version} (API {engine.api}), {options.minutes} minutes, seed {options.seed}",
            flush=True,
        )
        verdicts = run(engine, registry, options.keep or Path(folder), options.minutes * 60, options.seed)
    return show(verdicts)


def show(verdicts: Sequence[Verdict]) -> int:
    """Print them; return 1 if there is a fault."""
    print(table(verdicts))
    for verdict in verdicts:
        for notice in verdict.notices:
            print(f"  {verdict.trigger}, {notice}")
    faults = [fault for verdict in verdicts for fault in verdict.faults]
    print("\n".join(faults) or "no faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
