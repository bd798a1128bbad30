"""From what a handler returns to the messages a step emits (design 4): one place for all shapes of answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from lib.engine import Reply
from lib.engine.dialogue import Dialogue
from lib.engine.errors import LimitReached
from lib.engine.limits import bounded
from lib.engine.logs import LogLine
from lib.engine.progress import Progress
from lib.engine.streams import Archive, Lines, Logs, ProgressLines
from lib.policy import StepSettings
from lib.sailor import Context, Message, RawJson

Answer = Reply | Mapping[str, Any] | list[Any] | Lines | Logs | Archive | Dialogue | None
TAR = "application/x-tar"


def messages(answer: Answer, settings: StepSettings, context: Context) -> Iterator[Message]:
    """Yield the messages of an answer.

    An object is one message, a list one message {"results": [...]} or one per item, a text {"text": ...},
    nothing {}. A stream is read up to the step's limits; `truncated` names the one that ended it. Progress
    is one message with what came of it, and one per line before it if items are emitted individually.
    """
    if isinstance(answer, Reply):
        yield from _whole(answer, settings)
    elif isinstance(answer, ProgressLines):
        yield from _progressed(answer, settings)
    elif isinstance(answer, Lines | Logs):
        yield from _streamed(answer, settings)
    elif isinstance(answer, Archive):
        yield _stored(answer, settings, context)
    elif isinstance(answer, Dialogue):
        yield _heard(answer, settings)
    elif isinstance(answer, list):
        yield from _listed(answer, settings)
    else:
        yield Message(body=dict(answer or {}))


def is_one_message(answer: Answer, settings: StepSettings) -> bool:
    """Whether an answer is there already and makes exactly one message."""
    return not settings.individually and not isinstance(answer, Lines | Logs | Archive | Dialogue)


def _whole(reply: Reply, settings: StepSettings) -> Iterator[Message]:
    if reply.kind == "text":
        yield Message(body={"text": reply.text})
    elif reply.kind != "json":
        yield Message()
    else:
        yield from _parsed(reply, settings)


def _parsed(reply: Reply, settings: StepSettings) -> Iterator[Message]:
    text = reply.document
    if text.startswith(b"{"):
        yield Message(body=RawJson(text))
    elif not text.startswith(b"["):  # a Go nil list arrives as null (shapes.json, general, json)
        value = reply.json()
        yield from _listed([], settings) if value is None else [Message(body={"value": value})]
    elif settings.individually:
        yield from _listed(reply.json(), settings)
    else:
        yield Message(body=RawJson(b'{"results":' + text + b"}"))


def _listed(items: list[Any], settings: StepSettings) -> Iterator[Message]:
    if not settings.individually:
        yield Message(body={"results": items})
        return
    for item in items:
        yield Message(body=item if isinstance(item, dict) else {"value": item})


def _streamed(stream: Lines | Logs, settings: StepSettings) -> Iterator[Message]:
    source: Iterator[LogLine | dict[str, Any]] = stream
    with stream:
        items = bounded(source, settings.limits, _size)
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


def _progressed(lines: ProgressLines, settings: StepSettings) -> Iterator[Message]:
    progress = Progress()
    with lines:
        lines.pace(settings.work.idle_seconds, settings.work.max_seconds)
        for record in lines:
            progress.feed(record)
            if settings.individually:
                yield Message(body={"progress": record})
    yield Message(body=progress.result().as_dict())


def _heard(dialogue: Dialogue, settings: StepSettings) -> Message:
    """Collect what a conversation brought; the process may still be running when a limit ends it."""
    heard = {"stdout": bytearray(), "stderr": bytearray(), "stdin": bytearray()}
    everything = bytearray()
    with closing(dialogue):
        # The frames are the iterator, the connection below them keeps the time.
        dialogue.pace(settings.talk.idle_seconds, settings.talk.max_seconds)
        frames = bounded(dialogue.frames(), settings.talk, lambda frame: len(frame[1]))
        for stream, payload in frames:
            heard[stream] += payload
            everything += payload
    body = {name: _text(heard[name]) for name in ("stdout", "stderr")}
    body["text"] = _text(everything)
    if frames.truncated:
        body["truncated"] = frames.truncated
    return Message(body={**body, **dialogue.outcome()})


def _text(data: bytearray) -> str:
    return data.decode("utf-8", "replace")


def _stored(archive: Archive, settings: StepSettings, context: Context) -> Message:
    if context.storage is None:
        raise LimitReached("There is no storage for attachments here", limit="storage")
    with archive:
        archive.pace(settings.work.idle_seconds, settings.work.max_seconds)
        attachment = context.storage.store(_capped(archive, settings.archive_bytes), content_type=TAR)
    name = archive.name
    body = {"name": name, "size": attachment.get("size"), "contentType": TAR, "attachment": attachment}
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
