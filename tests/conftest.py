from __future__ import annotations

from tests.lab.fixtures import broker, engine_lab, environment_restored, make_container, run_container

__all__ = ["broker", "engine_lab", "environment_restored", "make_container", "run_container"]
