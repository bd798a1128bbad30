"""Makes attachments of a message from the user's files."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

_UNTYPED = "application/octet-stream"


def attached(path: Path) -> dict[str, Any]:
    """Return the attachment entry of a file for a message; its url is a file:// address, the file is not copied."""
    content_type = mimetypes.guess_type(path.name)[0] or _UNTYPED
    return {"url": path.resolve().as_uri(), "size": path.stat().st_size, "content-type": content_type}
