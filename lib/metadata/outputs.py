"""Reads the out-schemas of the triggers, which are written by hand: one file for each in lib/metadata/outputs."""

from __future__ import annotations

import json
from pathlib import Path

from lib.metadata.facts import Tree


def outputs(root: Path) -> dict[str, Tree]:
    """Return trigger key -> out-schema in the platform's dialect."""
    folder = root / "lib/metadata/outputs"
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}
