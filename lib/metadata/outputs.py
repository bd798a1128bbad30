"""Out-schemas of the triggers: written by hand in outputs/, one file per trigger."""

from __future__ import annotations

import json
from pathlib import Path

from lib.metadata.facts import Tree


def outputs(root: Path) -> dict[str, Tree]:
    """Return trigger key -> out-schema in the platform's dialect."""
    folder = root / "lib/metadata/outputs"
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}
