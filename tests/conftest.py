from __future__ import annotations

from tests.lab.fixtures import engine_lab, environment_restored, make_container, run_container

__all__ = ["engine_lab", "environment_restored", "make_container", "run_container"]
