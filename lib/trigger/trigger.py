"""The bridge between the runtime and a trigger's handler: `@trigger` makes a `process` function of a handler.

One poll works like this:

1. Check the form, open the engine, read the engine's identity and time, and read the cursor from the snapshot.
2. Call the handler with a `Poll`. It returns one `Found`, or yields several.
3. For each `Found`: emit the findings, wait for the confirms, then store the state as a snapshot.

A poll that fails raises before its snapshot, and the next poll starts from the same place. So a crash at any point
repeats messages, with equal ids, and loses none (docs/triggers.md). A try-out emits a sample and stores nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lib.config.declared_fields import checked
from lib.config.form import Form, choice, whole
from lib.credentials import open_engine
from lib.engine import Engine
from lib.engine.errors import BadInput, EngineError
from lib.engine.expected import expected_form
from lib.sailor.message import Message
from lib.sailor.step.context import Context
from lib.trigger import cursor as cursors
from lib.trigger.clock import engine_time, moment
from lib.trigger.cursor import Cursor
from lib.trigger.delivery import AROUND, BETWEEN, Delivery, TriggerNotice
from lib.trigger.engine_identity import forget, identity
from lib.trigger.faults import Fault
from lib.trigger.marks.compact import mark
from lib.trigger.poll import Finding, Found, Poll, Storable
from lib.trigger.state_keeper import StateKeeper
from lib.trigger.state_room import StateRoom
from lib.trigger.turn import Turn

__all__ = ["Declared", "Fault", "Finding", "Found", "Poll", "TriggerNotice", "trigger"]

ENGINE_MARK = 12
POLL_SECONDS = 50
TRY_OUT_SECONDS = 20

State = TypeVar("State", bound=Storable)
Handler = Callable[[Poll[State]], Found[State] | Iterator[Found[State]]]
Live = Callable[[Poll[State]], Mapping[str, Any] | None]
Process = Callable[[Context, Message, Form, Any], None]


@dataclass(frozen=True)
class Declared:
    """What the runtime reads from a trigger's handler: its key and its functions."""

    key: str
    process: Process
    init: None = None
    startup: None = None
    shutdown: None = None


def trigger(
    key: str,
    *,
    read: Callable[[Mapping[str, Any]], State],
    sample: Mapping[str, Any],
    live: Live[State] | None = None,
    settings: Callable[[Form], object] | None = None,
    seconds: int = POLL_SECONDS,
) -> Callable[[Handler[State]], Handler[State]]:
    """Declare the handler for a trigger key; the handler itself stays as it is.

    - `read` makes a state from a snapshot; it raises ValueError, TypeError or KeyError.
    - `live` returns the body for a try-out, None if there is none. Without `live`, the last finding of a first run
      that emits everything is taken.
    - `sample` is the body for a try-out if there is no real one.
    - `settings` reads the form and raises BadInput, before the engine is asked, also in a try-out.
    - `seconds` is how long a poll may take if the form has no pollSeconds.
    """

    def declare(handler: Handler[State]) -> Handler[State]:
        @expected_form()
        def process(context: Context, _message: Message, config: Form, snapshot: Any) -> None:
            config = checked(key, config)
            if settings:
                settings(config)
            engine = open_engine(config, cancelled=context.cancelled, warn=context.logger.warning)
            try:
                run(context, config, engine, snapshot)
            except EngineError:
                forget(engine)
                raise

        def run(context: Context, config: Form, engine: Engine, snapshot: Any) -> None:
            room = StateRoom(key, context.states, context.logger)
            turn_seconds = whole(config, "pollSeconds", seconds, least=5, most=3600)
            saved = cursors.load(snapshot, key, identity(engine), read, room.opened)
            poll = _poll(room, engine, config, saved, context, Turn.from_state(saved.shared, turn_seconds))
            delivery = Delivery(context, key, saved.engine, config)
            if os.environ.get("ELASTICIO_FLOW_TYPE") == "debug":
                delivery.emit([Finding({**_shown(handler, live, poll, sample), "sample": True}, "sample")])
            else:
                _run(handler, poll, saved, delivery, room, snapshot)

        handler.declared = Declared(key, process)  # type: ignore[attr-defined]
        return handler

    return declare


def _poll(
    room: StateRoom, engine: Engine, config: Form, saved: Cursor[State], context: Context, turn: Turn
) -> Poll[State]:
    mode = choice(config, "startFrom", ("now", "everything", "since"))
    since = moment(config, "since")
    if mode == "since" and since is None:
        raise BadInput("since: a time is missing. Write one such as 2026-01-31T12:00:00Z")
    start = {"now": None, "everything": 0, "since": since}[mode]
    engine = engine.limited(turn.left)
    return Poll(
        engine,
        config,
        engine_time(engine),
        context.logger,
        saved.state,
        start,
        cancelled=context.cancelled,
        turn=turn,
        trigger=room.trigger,
        room=room.size,
        body_room=context.emit.room - AROUND - BETWEEN,
    )


def _shown(
    handler: Handler[State], live: Live[State] | None, poll: Poll[State], sample: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the body for a try-out, within TRY_OUT_SECONDS; the stored place of the flow is not changed."""
    poll.turn.until = min(poll.turn.until, time.monotonic() + TRY_OUT_SECONDS)
    poll = replace(poll, state=None, start=0)
    if live:
        return live(poll) or sample
    found = handler(poll)
    batches: Iterable[Found[State]] = (found,) if isinstance(found, Found) else found
    told = [finding.body for batch in batches for finding in batch.findings if not finding.notice]
    return told[-1] if told else sample


def _run(
    handler: Handler[State],
    poll: Poll[State],
    saved: Cursor[State],
    delivery: Delivery,
    room: StateRoom,
    snapshot: Any,
) -> None:
    """Emit each batch of findings, and store its state after the confirms."""
    found = handler(poll)
    batches: Iterable[Found[State]] = (found,) if isinstance(found, Found) else found
    notices = [_unusable(poll, saved.problem, snapshot)] if saved.problem else []
    # An unusable snapshot may name an object of another trigger, so that object is not deleted.
    supervisor = StateKeeper(
        room, delivery.context.emit, poll.turn, delivery.engine, None if saved.problem else snapshot
    )
    try:
        for batch in batches:
            with supervisor.prepared(batch.state, lazy=batch.lazy):
                delivery.emit([*notices, *batch.findings, *poll.notices])
            notices = []
            poll.notices.clear()
    except BaseException:
        # Store the lazy state: confirmed findings must not be emitted again because of a later error or exit.
        with suppress(Exception):
            supervisor.settle()
        raise
    supervisor.settle()


def _unusable(poll: Poll[Any], problem: str, snapshot: Any) -> Finding:
    text = f"{cursors.PROBLEMS[problem]}; what happened since it was written may be missing. Started anew"
    reason = problem if problem == "lostState" else f"{problem}Snapshot"
    return poll.gap(reason, text, mark(repr(snapshot), ENGINE_MARK))
