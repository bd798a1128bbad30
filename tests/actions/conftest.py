"""Steps of actions against small servers on sockets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.actions.stepping import FAST, Outcome, forget_engines, run_step
from tests.engine.scripted import Act, Scripted


class Run(Protocol):
    """Runs a step against an engine that acts as told; `requests` is what it was asked in the last run."""

    requests: list[bytes]

    def __call__(self, key: str, body: Any, *acts: Act, **settings: Any) -> Outcome: ...


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(
        key: str, body: Any, *acts: Act, runtime: Any = FAST, passthrough: Any = None, **settings: str
    ) -> Outcome:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        with Scripted(folder, *acts) as engine:
            config = {"server": engine.url, **settings}
            outcome = run_step(key, body, config, settings=runtime, passthrough=passthrough)
            run.requests = list(engine.requests)  # type: ignore[attr-defined]
        return outcome

    return run  # type: ignore[return-value]


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    """Steps keep engines by credential; the next test has another server."""
    yield
    forget_engines()
