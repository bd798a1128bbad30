"""The bridge for triggers: opens the engine, reads the cursor, and owns the order emit, confirm, snapshot.

A poll that fails raises before its snapshot: the flow shows the error and the next poll starts from the same place,
so a crash at any point repeats messages (with equal ids), never loses them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lib import cursor as cursors
from lib.credentials import open_engine
from lib.cursor import Cursor
from lib.declared_fields import checked
from lib.engine import Engine
from lib.engine.errors import BadInput, NotFound, Unauthorized
from lib.engine.expected import expected_form
from lib.form import Form, choice, whole
from lib.polling.clock import engine_time, moment
from lib.polling.compact import mark
from lib.polling.faults import Fault
from lib.polling.poll import Finding, Found, Poll, Storable
from lib.polling.turn import Turn
from lib.sailor.context import Context
from lib.sailor.ids import derived_id
from lib.sailor.message import Message

__all__ = ["Declared", "Fault", "Finding", "Found", "Poll", "TriggerNotice", "trigger"]

ENGINE_MARK = 12
POLL_SECONDS = 50
HEAD_BYTES = 400
"""Bytes of a snapshot beside the trigger's own state."""

State = TypeVar("State", bound=Storable)
Handler = Callable[[Poll[State]], Found[State] | Iterator[Found[State]]]
Process = Callable[[Context, Message, Form, Any], None]


class TriggerNotice(Exception):
    """A gap or warning, where the step shows them as errors of the flow."""


@dataclass(frozen=True)
class Declared:
    """What the runtime reads from a trigger function."""

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
    live: Callable[[Poll[State]], Mapping[str, Any] | None] | None = None,
    seconds: int = POLL_SECONDS,
) -> Callable[[Handler[State]], Handler[State]]:
    """Declare the function that polls for a trigger key.

    `read` turns a snapshot into its state, raising ValueError, TypeError or KeyError. `sample` is the message of a
    debug run when nothing happens; `live`, where given, looks for a real one first. `seconds` is how long a poll may
    take unless the step says otherwise (pollSeconds).
    """

    def declare(handler: Handler[State]) -> Handler[State]:
        @expected_form()
        def process(context: Context, _message: Message, config: Form, snapshot: Any) -> None:
            config = checked(key, config)
            engine = open_engine(config, cancelled=context.cancelled, warn=context.logger.warning)
            saved = cursors.load(snapshot, key, engine_identity(engine), read)
            turn = Turn.from_state(
                {} if saved.problem else snapshot or {},
                whole(config, "pollSeconds", seconds, least=5, most=3600),
            )
            poll = _poll(key, engine, config, saved, context, turn)
            delivery = _Delivery(context, key, saved.engine, config)
            if os.environ.get("ELASTICIO_FLOW_TYPE") == "debug":
                # A sample must be quick, and a try-out must not move the place of the running flow.
                found = (live(poll) if live else None) or sample
                delivery.emit([Finding({**found, "sample": True}, "sample")])
                return
            _run(handler, poll, saved, delivery, snapshot)

        handler.declared = Declared(key, process)  # type: ignore[attr-defined]
        return handler

    return declare


def engine_identity(engine: Engine) -> str:
    """Return a mark of the engine's id (SystemInfo), "" where a proxy keeps it hidden."""
    try:
        about = engine.get("/info").json()
    except (Unauthorized, NotFound):
        return ""
    identity = about.get("ID")
    return mark(str(identity), ENGINE_MARK) if identity else ""


def _poll(
    key: str, engine: Engine, config: Form, saved: Cursor[State], context: Context, turn: Turn
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
        trigger=key,
        room=cursors.LIMIT - HEAD_BYTES,
    )


def _run(
    handler: Handler[State], poll: Poll[State], saved: Cursor[State], delivery: _Delivery, snapshot: Any
) -> None:
    """Emit what the handler found, and only then let the state that stands for it be stored."""
    found = handler(poll)
    batches: Iterable[Found[State]] = (found,) if isinstance(found, Found) else found
    notices = [_unusable(poll, saved.problem, snapshot)] if saved.problem else []
    last = snapshot
    for batch in batches:
        # Before anything is emitted: a state that does not fit must not be found out after the fact.
        stored = _stored(batch.state, poll, delivery) if batch.state else last
        delivery.emit([*notices, *batch.findings, *poll.notices])
        notices = []
        poll.notices.clear()
        if stored != last:
            delivery.context.emit.snapshot(stored)
            last = stored


def _stored(state: State, poll: Poll[State], delivery: _Delivery) -> dict[str, Any]:
    return cursors.dump({**poll.turn.to_state(), **state.to_state()}, delivery.key, delivery.engine)


def _unusable(poll: Poll[Any], problem: str, snapshot: Any) -> Finding:
    text = f"{cursors.PROBLEMS[problem]}; what happened since it was written may be missing. Started anew"
    return poll.gap(f"{problem}Snapshot", text, mark(repr(snapshot), ENGINE_MARK))


@dataclass(frozen=True)
class _Delivery:
    """Turns findings into messages, in the form the step asks for."""

    context: Context
    key: str
    engine: str
    config: Form

    def emit(self, findings: Sequence[Finding]) -> None:
        """Emit findings in order; returns when every message is confirmed."""
        findings = [self._masked(finding) if finding.notice else finding for finding in findings]
        as_errors = choice(self.config, "notices", ("emit", "emitError")) == "emitError"
        page = choice(self.config, "emitBehavior", ("emitIndividually", "emitAll")) == "emitAll"
        if as_errors:
            for notice in (finding for finding in findings if finding.notice):
                self.context.emit.error(TriggerNotice(notice.body["message"]))
            findings = [finding for finding in findings if not finding.notice]
        if page and findings:
            identity = mark([finding.identity for finding in findings], 40)
            self._send({"results": [finding.body for finding in findings]}, f"page {identity}")
            return
        for finding in findings:
            self._send(finding.body, finding.identity)

    def _masked(self, notice: Finding) -> Finding:
        """A notice may quote what engine, proxy or registry said, and that may quote a login."""
        return replace(notice, body=self.context.logger.secrets.masked(notice.body))

    def _send(self, body: Mapping[str, Any], identity: str) -> None:
        name = derived_id("trigger", self.key, self.engine, identity)
        self.context.emit.data(Message(body=dict(body), id=name))
