"""What becomes of an answer: JSON, text, lines or an attachment, as the setting `answer` says or as it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lib import jsontext
from lib.engine.answer.limits import Limits, bounded
from lib.engine.answer.streams import Raw
from lib.engine.errors import EngineFault, LimitReached
from lib.job.work import Work

AUTO, JSON, TEXT, LINES, ATTACHMENT = ANSWERS = ("auto", "json", "text", "lines", "attachment")
_BINARY = ("application/x-tar", "application/octet-stream", "application/gzip")
_LINES = ("application/x-ndjson", "application/jsonl", "application/json-seq")
_KEPT_BACK = ("set-cookie", "authorization", "proxy-authorization")
_MOST_LINES = 100_000
ARCHIVE_BYTES = 1 << 30
"""Most bytes of an attachment where the setting maxBytes says nothing."""


def answered(work: Work, raw: Raw, how: str) -> dict[str, Any]:
    """Return the output for an answer: statusCode, headers, and body, text, lines or attachment.

    Raises LimitReached where a value or an attachment is longer than the step's limit, EngineFault where a body that
    shall be JSON is none.
    """
    told = head_alone(raw.status, raw.headers)
    kind = raw.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    chosen = how if how != AUTO else _chosen(kind)
    if chosen == ATTACHMENT:
        return told | _attached(work, raw, kind or _BINARY[1])
    data, truncated = _read(work, raw)
    if not data and truncated is None:
        return told
    reader: Callable[[bytes, str | None], dict[str, Any]] = {JSON: _json, LINES: _lines}.get(chosen, _text)
    found = reader(data, truncated)
    return told | found | ({"truncated": truncated} if truncated else {})


def _chosen(kind: str) -> str:
    if kind in _BINARY:
        return ATTACHMENT
    if kind in _LINES:
        return LINES
    return JSON if kind.endswith("json") else TEXT


def head_alone(status: int, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the output for an answer without a body."""
    shown = {name.lower(): value for name, value in headers.items() if name.lower() not in _KEPT_BACK}
    return {"statusCode": status, "headers": shown}


def _read(work: Work, raw: Raw) -> tuple[bytes, str | None]:
    """Return the body, and the limit that ended the reading."""
    left = max(work.deadline.left, 0.001)
    room = min(work.settings.max_bytes, work.context.emit.room // 2)
    limits = Limits(max_bytes=room, max_seconds=left, idle_seconds=left)
    with bounded(raw, limits, len) as pieces:
        data = b"".join(pieces)
    return data, pieces.truncated


def _json(data: bytes, truncated: str | None) -> dict[str, Any]:
    if truncated:
        raise LimitReached(
            f"The answer did not come to its end within {truncated}, and JSON is of use only as a whole",
            limit=truncated,
            hint=f"Raise {truncated}, or read it as text, lines or attachment",
        )
    try:
        return {"body": jsontext.decode(data)}
    except ValueError as fault:
        if b"\n" in data.strip():  # streams of JSON values have the type of one
            return _lines(data, None)
        raise EngineFault(f"The answer is no valid JSON: {fault}", hint="Read it as text") from fault


def _lines(data: bytes, truncated: str | None) -> dict[str, Any]:
    lines = data.split(b"\n")
    if truncated:
        lines.pop()  # it is cut
    values = [_value(line) for line in lines[:_MOST_LINES] if line.strip(b"\x1e\r \t")]
    return {"lines": values} | ({"truncated": "maxItems"} if len(lines) > _MOST_LINES else {})


def _value(line: bytes) -> Any:
    text = line.strip(b"\x1e\r \t")
    try:
        return jsontext.decode(text)
    except ValueError:
        return text.decode("utf-8", "replace")


def _text(data: bytes, _truncated: str | None) -> dict[str, Any]:
    text = data.decode("utf-8", "replace")
    return {"text": text} | ({"lossy": True} if "\ufffd" in text else {})


def _attached(work: Work, raw: Raw, kind: str) -> dict[str, Any]:
    most = work.settings.max_bytes if work.config.get("maxBytes") else ARCHIVE_BYTES
    left = max(work.deadline.left, 0.001)
    size = 0

    def pieces() -> Iterator[bytes]:
        nonlocal size
        raw.pace(left, left)
        for piece in raw:
            size += len(piece)
            if size > most:
                raise LimitReached(
                    f"The answer is longer than {most} bytes", limit="maxBytes", hint="Raise maxBytes"
                )
            yield piece

    with raw:
        work.store(pieces(), "answer", kind, repeatable=raw.method in ("GET", "HEAD"))
    return {"attachment": "answer", "size": size}
