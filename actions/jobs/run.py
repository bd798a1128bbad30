"""Jobs that run something or wait for it."""

from __future__ import annotations

from typing import Any

from lib.job import Work, job
from lib.job.command.everywhere import commanded
from lib.job.log_wait import waited_for_line
from lib.job.run.running import run_to_end
from lib.job.states import LOG_LINE, waited


@job("RunContainer", changes=True)
def run_container(work: Work) -> dict[str, Any]:
    """Run a program in a container of its own, to its end."""
    return run_to_end(work)


@job("RunCommand", changes=True)
def run_command(work: Work) -> dict[str, Any]:
    """Run a command in a container that runs, or in all that match."""
    return commanded(work)


@job("WaitForContainer")
def wait_for_container(work: Work) -> dict[str, Any]:
    """Wait for a state of a container, or for a line of its log."""
    target, wanted = str(work.fields["target"]), str(work.fields["for"])
    return waited_for_line(work, target) if wanted == LOG_LINE else waited(work, target, wanted)
