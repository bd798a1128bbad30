from __future__ import annotations

import pytest

from tests.lab.fixtures import (
    broker,
    engine_lab,
    environment_restored,
    make_container,
    newer_engines,
    podman_service,
    registry,
    run_container,
    secured_registry,
    swarm_pair,
    tls_engine,
)

__all__ = [
    "broker",
    "engine_lab",
    "environment_restored",
    "make_container",
    "newer_engines",
    "podman_service",
    "registry",
    "run_container",
    "secured_registry",
    "swarm_pair",
    "tls_engine",
]

BROKERS = {"broker"}
ENGINES = {"engine_lab", "tls_engine", "swarm_pair", "newer_engines", "podman_service"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test asks for says which of the two markers it has."""
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        for needed, marker in ((BROKERS, pytest.mark.broker), (ENGINES, pytest.mark.engine)):
            if asked & needed:
                item.add_marker(marker)
