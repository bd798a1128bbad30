"""Brings the image of busybox onto an engine."""

from __future__ import annotations

from lib.engine import Engine
from lib.engine.request.upload import Upload
from lib.local.sandbox.busybox_image import busybox_archive


def import_local_image(engine: Engine, repository: str, tag: str) -> str:
    """Make the image and return its name; raises LocalImageError and EngineError."""
    source = {"fromSrc": "-", "repo": repository, "tag": tag, "changes": 'CMD ["sh"]'}
    query, archive = ("fromSrc", "repo", "tag", "changes"), Upload([busybox_archive()])
    with engine.progress("/images/create", source, query=query, body=archive) as progress:
        for _ in progress:
            pass  # raises when a line reports a failure
    return f"{repository}:{tag}"
