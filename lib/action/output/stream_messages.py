"""Makes messages from answers that come piece by piece: streams, progress, output of processes, archives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

from lib import jsontext
from lib.action.attachment_storage import store
from lib.action.output.live import overheard, teller
from lib.action.output.process_output import MESSAGE_FULL, Output, output
from lib.action.settings import BASE64, StepSettings
from lib.engine import EngineError
from lib.engine.answer.frames import Frame
from lib.engine.answer.limits import Bounded, Limits, bounded
from lib.engine.answer.log_lines import LogLine
from lib.engine.answer.streams import Archive, Lines, Logs, ProgressLines
from lib.engine.attach.session import Dialogue
from lib.engine.errors import EngineFault, LimitReached
from lib.sailor import Context, Message, RawJson
from lib.sailor.secrets.masking import Secrets

TAR = "application/x-tar"
BUILT = "build.tar"
SEES_END = 5.0
"""How long to wait for the end of a process, in seconds, after its output is full: then its exit code is known."""


def json_text(value: Any) -> bytes:
    """Return a value of the engine as JSON; raises EngineFault if it cannot be written as JSON."""
    try:
        return jsontext.encode(value)
    except (TypeError, ValueError) as fault:
        raise EngineFault(f"What the engine said cannot be written as JSON: {fault}") from fault


def streamed(stream: Lines | Logs, settings: StepSettings, context: Context, room: int) -> Iterator[Message]:
    """Yield one message for each item, then one with `truncated` if a limit ended the stream; or one with all of it."""
    with stream:
        items: Iterator[LogLine | dict[str, Any]] = overheard(stream, teller(context), _line)
        # Each item is encoded at once: its size in the message is needed, and JSON text takes less memory.
        texts = bounded(
            (json_text(_body(item, settings)) for item in items),
            settings.limits,
            len,
            pace=stream.pace,
        )
        if settings.individually:
            for text in texts:
                if len(text) > room:
                    texts.truncated = MESSAGE_FULL
                    break
                yield Message(body=RawJson(text))
            if texts.truncated:
                yield Message(body={"truncated": texts.truncated})
        else:
            yield _together(texts, room)
        if texts.truncated:
            _log(context, texts.truncated)


def _log(context: Context, limit: str) -> None:
    context.logger.info("Reading was ended by a limit; there may be more", limit=limit)


def _together(texts: Bounded[bytes], room: int) -> Message:
    left = room - len(b'{"results":[],"truncated":"idleSeconds"}')
    text = bytearray(b'{"results":[')
    for item in texts:
        left -= len(item) + len(b",")
        if left < 0:
            texts.truncated = MESSAGE_FULL
            break
        text += item + b","
    if text.endswith(b","):
        del text[-1:]
    text += b"]"
    if texts.truncated:
        text += b',"truncated":"%s"' % texts.truncated.encode()
    return Message(body=RawJson(bytes(text) + b"}"))


def _body(item: LogLine | dict[str, Any], settings: StepSettings) -> dict[str, Any]:
    if not isinstance(item, LogLine):
        return item
    return item.as_base64() if settings.output == BASE64 else item.as_dict()


def _line(item: LogLine | dict[str, Any]) -> str:
    return item.text if isinstance(item, LogLine) else json_text(item).decode()


def progressed(
    lines: ProgressLines, settings: StepSettings, context: Context, room: int
) -> Iterator[Message]:
    """Yield the result of the work; if items are emitted individually, each record of the progress before it."""
    progress = lines.progress()
    hidden = Secrets()
    hidden.add(lines.hidden)
    progress.tell = teller(context, hidden)
    with lines:
        lines.pace(settings.work.idle_seconds, settings.work.max_seconds)
        for record in lines:
            shown = progress.feed(record)
            if settings.individually and shown:
                yield _step(_hidden(shown, hidden) if lines.hidden else shown, room)
        progress.end()
        archive = _kept(lines.output, context) if lines.output else None
    body = progress.as_dict()
    body = _hidden(body, hidden) if lines.hidden else body
    if archive:
        body["attachment"] = archive
    yield _result(body, room)


def _kept(archive: Callable[[], Iterator[bytes]], context: Context) -> dict[str, Any]:
    """Store the archive that the work gave."""
    if context.storage is None:
        raise LimitReached("There is no storage for attachments here", limit="storage")
    return store(context.storage, archive(), content_type=TAR, repeatable=True)


def _hidden(value: Any, secrets: Secrets) -> Any:
    """Return a value with masked texts; names of fields stay as they are."""
    if isinstance(value, dict):
        return {name: _hidden(item, secrets) for name, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item, secrets) for item in value]
    return secrets.mask(value) if isinstance(value, str) else value


def _step(record: dict[str, Any], room: int) -> Message:
    """Return the message for a record; a record without room is replaced, since the work goes on and must not fail."""
    text = b'{"progress":' + json_text(record) + b"}"
    return Message(body=RawJson(text) if len(text) <= room else {"progress": {}, "truncated": MESSAGE_FULL})


def _result(body: dict[str, Any], room: int) -> Message:
    """Return the message for the result; if it has no room, lists are emptied, the least important first."""
    for name in ("lines", "warnings", "steps", "layers", "ids", "tags", "digests"):
        if name not in body:
            continue
        if len(json_text(body)) <= room:
            break
        body |= {name: [], "truncated": MESSAGE_FULL}
    return Message(body=body, attachments={BUILT: body["attachment"]} if "attachment" in body else {})


def filed(logs: Logs, settings: StepSettings, context: Context) -> Message:
    """Return the message for a log that is stored as attachments, byte for byte."""
    with logs, output(settings, context, 0, None, repeatable=True) as kept:
        logs.pace(settings.limits.idle_seconds, settings.limits.max_seconds)
        truncated = _taken(
            _in_time(overheard(logs.frames(), teller(context), _output), settings.limits), kept
        )
        return _message(kept.body(), truncated, context)


def heard(dialogue: Dialogue, settings: StepSettings, context: Context, room: int) -> Message:
    """Return the message with the output of an attach or exec; the process may still run if a limit ended it."""
    limits = settings.talk
    with output(settings, context, room, limits.max_bytes) as kept:
        with closing(dialogue):
            # The connection enforces the limits of time, not the iterator of frames.
            dialogue.pace(limits.idle_seconds, limits.max_seconds)
            frames = _in_time(overheard(dialogue.frames(), teller(context), _output), limits)
            truncated = _taken(frames, kept)
            if kept.full:
                _see_end(dialogue, frames)
        ended = dialogue.outcome()  # may raise, so before the output is stored
        return _message({**kept.body(), **ended}, truncated, context)


def _in_time(frames: Iterator[Frame], limits: Limits) -> Bounded[Frame]:
    return bounded(frames, replace(limits, max_items=None, max_bytes=None))


def _output(frame: Frame) -> str:
    return bytes(frame[1]).decode(errors="replace")


def _taken(frames: Bounded[Frame], kept: Output) -> str | None:
    """Collect frames until they end or a limit is reached; return the name of the limit, None if there was none."""
    for stream, payload in frames:
        kept.add(stream, payload)
        if kept.full:
            return kept.full
    return frames.truncated


def _see_end(dialogue: Dialogue, frames: Iterator[Frame]) -> None:
    dialogue.pace(SEES_END, SEES_END)
    with suppress(EngineError):  # the collected output counts; `outcome` asks for the exit code
        for _ in frames:
            pass


def _message(body: dict[str, Any], truncated: str | None, context: Context) -> Message:
    if truncated:
        body["truncated"] = truncated
        _log(context, truncated)
    return Message(body=body, attachments=body.get("attachments", {}))


def stored(archive: Archive, settings: StepSettings, context: Context) -> Message:
    """Return the message for an archive that is stored as an attachment; raises LimitReached above the step's limit."""
    with archive:
        if context.storage is None:
            raise LimitReached("There is no storage for attachments here", limit="storage")
        archive.pace(settings.work.idle_seconds, settings.work.max_seconds)
        pieces = _capped(archive, settings.archive_bytes)
        attachment = store(context.storage, pieces, content_type=TAR, repeatable=True)
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
