from __future__ import annotations

from typing import Any

from tests.sailor.conftest import stage
from tests.triggers import table

__all__ = ["stage"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    table.show(terminalreporter)
