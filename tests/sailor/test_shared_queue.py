"""Several containers of a step on one queue: the broker hands each message to one of them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.waiting import wait_until
from tests.sailor.process import Process
from tests.sailor.step_harness import StepHarness

pytestmark = pytest.mark.broker

MANY = 40


@pytest.fixture
def pair(stage: StepHarness) -> Iterator[tuple[Process, Process]]:
    """Two containers of the step; `stage` looks after the second one."""
    first = stage.start(data_rate_limit="1000")
    yield first, stage.start(data_rate_limit="1000")
    first.close()


def at_work(process: Process) -> int:
    return sum(line["msg"] == "at work" for line in process.lines)


def sent(stage: StepHarness, go: Path) -> set[str]:
    """Ids of messages whose work waits for a file."""
    return {stage.do("wait_for_file", n=n, file=str(go))["messageId"] for n in range(MANY)}


def test_two_containers_of_a_step_share_its_messages_and_answer_each_once(
    stage: StepHarness, pair: tuple[Process, Process], tmp_path: Path
) -> None:
    ids = sent(stage, tmp_path / "go")
    wait_until(lambda: [at_work(one) for one in pair] == [1, 1], "both to have a message")
    (tmp_path / "go").touch()

    answers = stage.all("data", MANY)

    assert sorted(got.payload["body"]["n"] for got in answers) == list(range(MANY))
    assert {got.headers["parentMessageId"] for got in answers} == ids
    assert {got.payload["body"]["pid"] for got in answers} == {one.pid for one in pair}
    assert pair[0].stop() == 0
    stage.settled()
    assert (stage.wires.peek("data"), stage.wires.peek("error")) == (None, None)


def test_what_a_killed_container_had_in_work_goes_to_the_other_one(
    stage: StepHarness, pair: tuple[Process, Process], tmp_path: Path
) -> None:
    ids = sent(stage, tmp_path / "go")
    wait_until(lambda: [at_work(one) for one in pair] == [1, 1], "both to have a message")
    pair[0].signal(signal.SIGKILL)
    pair[0].exit_code()
    wait_until(lambda: stage.wires.consumers("in") == 1, "the broker to see that one is gone")
    (tmp_path / "go").touch()

    answers = stage.all("data", MANY)

    assert {got.headers["parentMessageId"] for got in answers} == ids
    assert {got.payload["body"]["pid"] for got in answers} == {pair[1].pid}
    stage.settled()
    assert (stage.wires.peek("data"), stage.wires.peek("error")) == (None, None)
