"""Fixtures of the tests of plain calls."""

from __future__ import annotations

import pytest

from tests.engine.calls import CALLS


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest) -> str:
    """Each verb of the client in turn."""
    name: str = request.param
    return name
