"""Makes messages from what a handler returns, for all kinds of `answer` in lib/metadata/facts/shapes.json."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from lib import jsontext
from lib.action.output.process_output import MESSAGE_FULL
from lib.action.output.response_form import as_response
from lib.action.output.stream_messages import filed, heard, json_text, progressed, stored, streamed
from lib.action.settings import ATTACHMENT, StepSettings
from lib.engine import Reply
from lib.engine.answer.streams import Archive, Lines, Logs, ProgressLines
from lib.engine.attach.session import Dialogue
from lib.engine.errors import BadInput, LimitReached
from lib.sailor import Context, Message, RawJson

Answer = Reply | Mapping[str, Any] | list[Any] | Lines | Logs | Archive | Dialogue | None
STREAMS = (ProgressLines, Lines, Logs, Archive, Dialogue)

LEAST_ROOM = 4096
"""Lower bound of the room of a message in bytes of JSON; below it the engine is not called."""


def check_room(settings: StepSettings, context: Context) -> None:
    """Raise LimitReached if a message has no room for an answer, BadInput if attachments have no storage.

    Call it before the engine is called.
    """
    room = context.emit.room
    if room < LEAST_ROOM:
        raise LimitReached(
            f"What earlier steps hand on leaves {room} bytes in a message for the answer",
            limit=MESSAGE_FULL,
            hint="Hand on less: clear passthrough data that later steps do not need",
        )
    if settings.output == ATTACHMENT and context.storage is None:
        raise BadInput("There is no storage for attachments here", field="output", hint="Choose base64")


def messages(answer: Answer, settings: StepSettings, context: Context) -> Iterator[Message]:
    """Yield the messages of an answer; raises LimitReached if a body is longer than the platform allows.

    - An object gives one message, a text {"text": ...}, an empty answer {}.
    - A list gives one message {"results": [...]}, or one message for each item.
    - A stream is read up to the step's limits and the room of a message. `truncated` names the limit that ended it; if
      items are emitted individually, it is in an additional last message.
    - Where the setting outputForm asks for it, an answer that is no stream has the form of 2019.
    - Progress gives one message with the result; if items are emitted individually, one for each line before it.
    """
    room = context.emit.room
    for message in _messages(answer, settings, context, room):
        yield _fitting(message, room)


def _messages(answer: Answer, settings: StepSettings, context: Context, room: int) -> Iterator[Message]:
    if settings.as_response and not isinstance(answer, STREAMS):
        yield as_response(answer)
    elif isinstance(answer, Reply):
        if not settings.individually:
            _check_length(len(answer.raw), room)
        yield from _whole(answer, settings)
    elif isinstance(answer, ProgressLines):
        yield from progressed(answer, settings, context, room)
    elif isinstance(answer, Logs) and settings.output == ATTACHMENT:
        yield filed(answer, settings, context)
    elif isinstance(answer, Lines | Logs):
        yield from streamed(answer, settings, context, room)
    elif isinstance(answer, Archive):
        yield stored(answer, settings, context)
    elif isinstance(answer, Dialogue):
        yield heard(answer, settings, context, room)
    elif isinstance(answer, list):
        yield from _listed(answer, settings)
    else:
        yield Message(body=dict(answer or {}))


def is_one_message(answer: Answer, settings: StepSettings) -> bool:
    """Return whether an answer is read already and makes exactly one message."""
    return not settings.individually and not isinstance(answer, Lines | Logs | Archive | Dialogue)


def _fitting(message: Message, room: int) -> Message:
    """Return a message with its body as JSON text; raises LimitReached if it is longer than `room` bytes."""
    body = message.body if isinstance(message.body, RawJson) else RawJson(json_text(message.body))
    _check_length(len(body.data), room)
    return replace(message, body=body)


def _check_length(length: int, room: int) -> None:
    if length > room:
        raise LimitReached(
            f"The answer has {length} bytes of JSON and a message of this step has room for {room}",
            limit=MESSAGE_FULL,
            hint="Ask for less: with filters or limits, or for one message per item",
        )


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
    elif not text.startswith(b"["):  # an engine may write an empty list as null
        value = reply.json()
        yield from _listed([], settings) if value is None else [Message(body={"value": value})]
    elif settings.individually:
        yield from _listed(jsontext.each(text), settings)
    else:
        yield Message(body=RawJson(b'{"results":' + text + b"}"))


def _listed(items: Iterable[Any], settings: StepSettings) -> Iterator[Message]:
    if not settings.individually:
        yield Message(body={"results": list(items)})
        return
    for item in items:
        yield Message(body=item if isinstance(item, dict) else {"value": item})
