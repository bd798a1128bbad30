from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib import credentials
from tests.triggers.fake_engine import FakeEngine


@pytest.fixture(autouse=True)
def engines_closed() -> Iterator[None]:
    """Close the connections that are kept for the next step."""
    yield
    for engine in credentials._engines.values():
        engine.close()


@pytest.fixture
def fake(tmp_path: Any) -> Iterator[FakeEngine]:
    """An engine made of a ring, on a unix socket, with a clock that tests set."""
    engine = FakeEngine(str(tmp_path / "docker.sock"))
    yield engine
    engine.close()
