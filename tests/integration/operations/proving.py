"""Marks for tests that show an operation at work, or how it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Body = dict[str, Any]
Names = tuple[str, ...]
Make = Callable[..., str]


def success(*keys: str) -> pytest.MarkDecorator:
    """The test shows that these operations succeed."""
    return pytest.mark.operation(*keys, case="success")


def failure(*keys: str) -> pytest.MarkDecorator:
    """The test shows how these operations fail."""
    return pytest.mark.operation(*keys, case="failure")


def refusals(**cases: tuple[Any, ...]) -> pytest.MarkDecorator:
    """Parameters key, body, names: what an operation is told, and the classes of the error that it may end with."""
    return pytest.mark.parametrize(
        ("key", "body", "names"),
        [pytest.param(key, body, names, marks=failure(key), id=key) for key, (body, *names) in cases.items()],
    )
