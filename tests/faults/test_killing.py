"""Nothing is lost when the process is killed at any moment; `KILL_TEST=10000` runs it with as many messages."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from tests.faults.killing import kill_test
from tests.sailor.step_harness import StepHarness

pytestmark = pytest.mark.broker
INPUTS = int(os.environ.get("KILL_TEST") or 2000)
INPUTS_PER_KILL = 100


def test_every_input_comes_out_at_least_once(
    stage: StepHarness, record_property: Callable[[str, str], None]
) -> None:
    seed = random.randrange(1_000_000)

    outcome = kill_test(stage, INPUTS, INPUTS // INPUTS_PER_KILL, seed)

    count = outcome.count()
    counts = ", ".join(f"{name} {value}" for name, value in count.items())
    record_property("note", f"kill test (seed {seed}): {counts}")
    assert outcome.missing == set()
    assert not outcome.data.keys() & outcome.errors.keys()
    assert count["repeats with another id"] == 0
