"""Writes lib/metadata/facts/samples.json: what actions answer to their examples, from a real engine.

    .venv/bin/python -m tests.samples

Ids, addresses, times and what else belongs to a machine are replaced (tests/samples/neutral.py), and lists are cut. An
action whose example cannot be shown here keeps the answer that it had.
"""

from __future__ import annotations

import json
import sys

from lib.metadata.facts import FOLDER, load
from lib.metadata.layout import layout
from tests.jobs.engines import begin
from tests.lab.registry import Registry
from tests.samples.scenario import PARTS
from tests.samples.world import World

FILE = FOLDER / "samples.json"


def main() -> int:
    engine = begin("28.5")
    try:
        registry = Registry(engine)
        world = World(engine, registry)
        try:
            for part in PARTS:
                part(world)
        finally:
            world.close()
            registry.close()
    finally:
        engine.close()
    before = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    answers = before | {key: answer for key, answer in world.answers.items() if answer != {}}
    FILE.write_text(layout({key: answers[key] for key in load().operations if key in answers}), "utf-8")
    print(f"{FILE.name}: {len(world.answers)} of {len(load().operations)} actions were run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
