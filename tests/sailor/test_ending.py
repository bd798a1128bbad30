"""How a process ends that nobody listens to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.waiting import DEADLINE
from tests.sailor.process import ROOT
from tests.sailor.step_harness import StepHarness


@contextmanager
def started(
    stage: StepHarness, redirection: str, output: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        key: value for key, value in stage.environment(LOG_LEVEL="trace").items() if value is not None
    }
    with subprocess.Popen(
        ["/bin/sh", "-c", f"exec {sys.executable} -m lib.sailor.run {redirection}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=output,
        stderr=output,
    ) as process:
        yield process
        process.kill()


def test_a_step_without_any_output_works_and_ends_in_order(stage: StepHarness) -> None:
    with started(stage, ">&- 2>&-") as process:
        stage.do("echo")

        assert stage.take("data").payload["body"]["echo"] == {"do": "echo"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0


def test_a_step_whose_log_is_not_read_any_more_ends_in_order(stage: StepHarness) -> None:
    reader, writer = os.pipe()
    with started(stage, "", writer) as process:
        os.close(writer)
        os.close(reader)
        stage.do("echo")

        assert stage.take("data").payload["body"]["echo"] == {"do": "echo"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0


def test_a_hook_that_leaves_is_reported(stage: StepHarness) -> None:
    stage.platform.step["config"] = {"init_leaves": True}
    process = stage.start("hooks", ready=False)

    assert stage.take("error").error["message"] == "left"
    assert process.exit_code() == 1
