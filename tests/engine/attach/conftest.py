"""Fixtures of the tests of conversations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.attach.kinds import Kind
from tests.engine.scripted_peer import Authority


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(params=["unix", "tls"])
def kind(request: pytest.FixtureRequest, authority: Authority, tmp_path: Path) -> Kind:
    """How to talk and how to open: over a unix socket and over TLS."""
    return Kind(str(tmp_path), authority if request.param == "tls" else None)
