"""What happens when the machine cannot give what a test needs."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip at home, fail in CI: there, a test that silently does not run is a hole."""
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(f"needed in CI: {reason}", pytrace=False)
    pytest.skip(reason)


def skip_anywhere(reason: str) -> NoReturn:
    """For second opinions (newer engines, podman) that not every machine can have, CI's neither."""
    pytest.skip(reason)
