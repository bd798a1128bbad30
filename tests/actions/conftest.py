"""Steps of actions against small servers on sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.actions.stepping import forget_engines


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    """Steps keep engines by credential; the next test has another server."""
    yield
    forget_engines()
