"""What ends one try of a mirror run, and not the run."""

from __future__ import annotations


class Lost(Exception):
    """Something else took an image, its name or the memo from the engine meanwhile; another try may go well."""
