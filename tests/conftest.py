from __future__ import annotations

import os
import signal
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import summary
from tests.lab.fixtures import (
    broker,
    closed_ssh_server,
    engine_lab,
    environment_restored,
    make_container,
    newer_engines,
    podman_service,
    registry,
    run_container,
    secured_registry,
    ssh_server,
    swarm_pair,
    tls_engine,
)
from tests.schedule import ByFile

__all__ = [
    "broker",
    "closed_ssh_server",
    "engine_lab",
    "environment_restored",
    "make_container",
    "newer_engines",
    "podman_service",
    "registry",
    "run_container",
    "secured_registry",
    "ssh_server",
    "swarm_pair",
    "tls_engine",
]

# Examples are counted, not timed: other tests share the machine. Every run has the same ones, so that a run which fails
# can be had again; HYPOTHESIS_PROFILE=search looks for new ones.
settings.register_profile(
    "shared",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=50,
    derandomize=True,
)
settings.register_profile("search", settings.get_profile("shared"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "shared"))

BROKERS = {"broker"}
ENGINES = {"engine_lab", "tls_engine", "swarm_pair", "newer_engines", "podman_service"}


def pytest_configure() -> None:
    """Children inherit a Ctrl-C that is ignored, as it is for what a shell runs in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test asks for says which of the two markers it has."""
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        for needed, marker in ((BROKERS, pytest.mark.broker), (ENGINES, pytest.mark.engine)):
            if asked & needed:
                item.add_marker(marker)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    report.user_properties += [(summary.TRIGGER, row) for row in summary.table.taken()]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    summary.collect(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    summary.show(terminalreporter)
