from __future__ import annotations

from tests.sailor.conftest import stage

__all__ = ["stage"]
