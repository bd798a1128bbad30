"""Files of the user's as attachments of a message."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

_UNTYPED = "application/octet-stream"


def attached(path: Path) -> dict[str, Any]:
    """The attachment entry of a file, as a message carries it; the file is read where it lies."""
    content_type = mimetypes.guess_type(path.name)[0] or _UNTYPED
    return {"url": path.resolve().as_uri(), "size": path.stat().st_size, "content-type": content_type}
