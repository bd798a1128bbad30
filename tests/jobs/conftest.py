"""What each test of a job showed goes into the tables at the end of the run, with its report."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests import summary
from tests.jobs import deaths, table


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" or report.outcome != "passed":
        report.user_properties += [(summary.JOB, (*cell, report.outcome)) for cell in table.shown(item)]
    if call.when == "call":
        report.user_properties += [(summary.DEATHS, row) for row in deaths.taken()]
    return report
