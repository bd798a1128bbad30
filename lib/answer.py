"""From what a handler returns to the messages a step emits (design 4): one place for all shapes of answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lib.engine import Reply
from lib.engine.errors import EngineFault, LimitReached
from lib.engine.limits import bounded
from lib.engine.logs import LogLine
from lib.engine.streams import Archive, Lines, Logs
from lib.policy import StepSettings
from lib.sailor import Context, Message, RawJson

Answer = Reply | Mapping[str, Any] | list[Any] | Lines | Logs | Archive | None


def messages(answer: Answer, settings: StepSettings, context: Context) -> Iterator[Message]:
    """Yield the messages of an answer.

    An object is one message, a list one message {"results": [...]} or one per item, a text {"text": ...},
    nothing {}. A stream is read up to the step's limits; `truncated` names the one that ended it.
    """
    if isinstance(answer, Reply):
        yield from _whole(answer, settings)
    elif isinstance(answer, Lines | Logs):
        yield from _streamed(answer, settings)
    elif isinstance(answer, Archive):
        yield _stored(answer, settings, context)
    elif isinstance(answer, list):
        yield from _listed(answer, settings)
    else:
        yield Message(body=dict(answer or {}))


def _whole(reply: Reply, settings: StepSettings) -> Iterator[Message]:
    if reply.kind == "text":
        yield Message(body={"text": reply.text})
    elif reply.kind != "json":
        yield Message()
    elif reply.raw.lstrip()[:1] == b"{":
        yield Message(body=RawJson(_closed(reply, b"}")))
    elif settings.individually or reply.raw.lstrip()[:1] != b"[":
        value = reply.json()
        # A Go nil list arrives as null (shapes.json, general, json); SwarmInit answers a bare string.
        yield from (
            _listed(value or [], settings) if not isinstance(value, str) else [Message(body={"text": value})]
        )
    else:
        yield Message(body=RawJson(b'{"results":' + _closed(reply, b"]") + b"}"))


def _closed(reply: Reply, end: bytes) -> bytes:
    # The bytes are passed on unparsed; half a document must not go out as a message.
    raw = reply.raw.strip()
    if not raw.endswith(end):
        raise EngineFault("The engine's JSON ends too early", status=reply.status)
    return raw


def _listed(items: list[Any], settings: StepSettings) -> Iterator[Message]:
    if not settings.individually:
        yield Message(body={"results": items})
        return
    for item in items:
        yield Message(body=item if isinstance(item, dict) else {"value": item})


def _streamed(stream: Lines | Logs, settings: StepSettings) -> Iterator[Message]:
    source: Iterator[LogLine | dict[str, Any]] = stream
    with bounded(source, settings.limits, _size) as items:
        if settings.individually:
            for item in items:
                yield Message(body=_body(item))
            return
        body: dict[str, Any] = {"results": [_body(item) for item in items]}
    if items.truncated:
        body["truncated"] = items.truncated
    yield Message(body=body)


def _body(item: LogLine | dict[str, Any]) -> dict[str, Any]:
    return item.as_dict() if isinstance(item, LogLine) else item


def _size(item: LogLine | dict[str, Any]) -> int:
    return len(item.text) if isinstance(item, LogLine) else len(str(item))


def _stored(archive: Archive, settings: StepSettings, context: Context) -> Message:
    if context.storage is None:
        raise LimitReached("There is no storage for attachments here", limit="storage")
    with archive:
        attachment = context.storage.store(
            _capped(archive, settings.archive_bytes), content_type="application/x-tar"
        )
    name = archive.name
    body = {
        "name": name,
        "size": attachment.get("size"),
        "contentType": "application/x-tar",
        "attachment": attachment,
    }
    return Message(body=body, attachments={name: attachment})


def _capped(archive: Archive, limit: int) -> Iterator[bytes]:
    sent = 0
    for piece in archive:
        sent += len(piece)
        if sent > limit:
            raise LimitReached(
                f"The archive is longer than {limit} bytes", limit="maxBytes", hint="Raise maxBytes"
            )
        yield piece
