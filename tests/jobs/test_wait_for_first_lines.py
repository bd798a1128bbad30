"""WaitForContainer for a line that a container writes first: engines tell its start after that line."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.stepping import run_step
from tests.jobs.engines import config, own
from tests.jobs.finding import done, failed
from tests.lab.engine import LabEngine

__all__ = ["own"]
SETTINGS = {"errorPolicy": "throwError", "whenTimeIsUp": "fail"}
SPEAK = ("sh", "-c", "echo first; test -e /again && exit; touch /again; echo only the first time")


def wait(engine: LabEngine, name: str, pattern: str, seconds: float = 60) -> Any:
    body = {"target": name, "for": "logLine", "pattern": pattern}
    return run_step("WaitForContainer", body, config(engine, **SETTINGS, maxSeconds=str(seconds)))


@pytest.mark.parametrize("terminal", [False, True])
def test_the_first_line_counts(own: LabEngine, terminal: bool) -> None:
    for number in range(5):
        name = f"speaks-{number}-{terminal}"
        own.wait(own.run(SPEAK, name=name, Tty=terminal))
        assert done(wait(own, name, "^first$"))["line"] == "first"


def test_the_first_line_of_one_that_still_runs_counts(own: LabEngine) -> None:
    for number in range(5):
        own.run(("sh", "-c", "echo first; exec sleep 600"), name=f"runs-{number}")
        assert done(wait(own, f"runs-{number}", "^first$"))["line"] == "first"


def test_lines_of_the_run_before_do_not_count(own: LabEngine) -> None:
    command = ("sh", "-c", "test -e /again || { touch /again; echo before; exit; }; exec sleep 600")
    container = own.run(command, name="twice")
    own.wait(container)
    own.wire.do("POST", f"/containers/{container}/start")
    assert failed(wait(own, "twice", "before", 0.5))[0] == "NotReached"


def test_one_that_was_never_started_is_waited_for(own: LabEngine) -> None:
    own.create(name="later")
    assert failed(wait(own, "later", "x", 0.5))[0] == "NotReached"
