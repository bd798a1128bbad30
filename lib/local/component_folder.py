"""The folder of the component that the runner works with."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

OWN_COMPONENT = Path(__file__).resolve().parent.parent.parent


def folder_of(options: Namespace) -> Path:
    """Return the folder of the component that the options name, by default that of this component."""
    folder: Path | None = options.component
    return folder.resolve() if folder else OWN_COMPONENT
