"""Where the schemas of actions are."""

from __future__ import annotations

from pathlib import Path

SCHEMAS = Path(__file__).parents[2] / "schemas"
