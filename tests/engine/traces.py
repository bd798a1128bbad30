"""Records as BuildKit writes them, made of the fields that a test names."""

from __future__ import annotations

import base64
from typing import Any

from lib.engine.protobuf import message

IMAGE = {"id": "moby.image.id", "aux": {"ID": "sha256:" + "4" * 64}}


def time(seconds: float) -> bytes:
    return message((1, int(seconds)), (2, int(seconds % 1 * 1e9)))


def vertex(
    digest: str, name: str = "", began: float | None = None, ended: float | None = None, **more: Any
) -> tuple[int, bytes]:
    parts: list[tuple[int, Any]] = [(1, digest), (2, "sha256:input"), (3, name)]
    parts += [(4, 1)] if more.get("cached") else []
    parts += [(5, time(began))] if began is not None else []
    parts += [(6, time(ended))] if ended is not None else []
    parts += [(7, more["error"])] if "error" in more else []
    return 1, message(*parts)


def status(digest: str, text: str) -> tuple[int, bytes]:
    return 2, message((1, text), (2, digest))


def log(digest: str, text: bytes, stream: int = 1) -> tuple[int, bytes]:
    return 3, message((1, digest), (2, time(1)), (3, stream), (4, text))


def warning(short: str, line: int = 0) -> tuple[int, bytes]:
    info = message((1, "Dockerfile"), (2, "ARG PASSWORD=whole-dockerfile"))
    span = message((1, message((1, line))), (2, message((1, line))))
    return 4, message(
        (2, 1), (3, short), (4, "detail"), (5, "https://example.org/rule"), (6, info), (7, span)
    )


def record(*parts: tuple[int, Any]) -> dict[str, Any]:
    return {"id": "moby.buildkit.trace", "aux": base64.b64encode(message(*parts)).decode()}
