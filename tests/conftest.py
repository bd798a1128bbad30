from __future__ import annotations

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
