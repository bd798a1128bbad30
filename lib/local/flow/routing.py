"""The platform's part between steps: shows what steps publish, stores snapshots, maps data and hands it on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from lib.backoff import growing_pause
from lib.local.attachments import SavedAttachments
from lib.local.flow.flowfile import Edge, Flow
from lib.local.flow.mapper import Mapper, MappingError, Nothing
from lib.local.flow.nothing_found import told
from lib.local.output.emission import Emission, Output
from lib.local.state import StateFile
from lib.sailor.message import Message
from lib.sailor.standalone.in_process import Published
from lib.sailor.transport import Kind

_LONGEST_PAUSE = 24 * 3600.0
"""Seconds until a rebound comes back, at most."""
_CARRIED = ("threadId", "messageId", "stepId")
_EVENTS = {Kind.DATA: "data", Kind.ERROR: "error", Kind.REBOUND: "rebound", Kind.REPLY: "httpReply"}

Deliver = Callable[[str, Message, Mapping[str, Any]], None]
OnReport = Callable[[Any], None]


class Routing:
    """Routes what steps publish, both for steps in this process and for steps over a broker; safe for threads.

    `deliver` hands a message with its headers to a step. Without a `flow` there is one step, and its data go nowhere
    else. `rebound_pause` is the first pause of a rebound, in seconds. `failed` is whether any step or mapping ended in
    an error.
    """

    def __init__(
        self,
        output: Output,
        deliver: Deliver,
        *,
        flow: Flow | None = None,
        state: StateFile | None = None,
        rebound_pause: float = 15.0,
        on_report: OnReport | None = None,
        saved: SavedAttachments | None = None,
    ) -> None:
        self.failed = False
        self._output = output
        self._deliver = deliver
        self._flow = flow
        self._state = state
        self._rebound_pause = rebound_pause
        self._on_report = on_report
        self._saved = saved
        self._lock = threading.Lock()
        self._emitted: Counter[str] = Counter()
        self._nothing: set[tuple[str, str, str]] = set()

    def published(self, step_id: str, published: Published) -> None:
        """Handle one publish of a step: show it, and hand data to the next steps."""
        if published.kind is Kind.REPLY and "x-eio-error-response" in published.headers:
            return  # an error reply: the error itself is published, too
        self._show(self._emission(step_id, published))
        if published.kind is Kind.ERROR:
            self.failed = True
        elif published.kind is Kind.SNAPSHOT:
            self._keep(step_id, published)
        elif published.kind is Kind.DATA:
            self._save(published.value.attachments)
            headers = {key: published.headers[key] for key in _CARRIED if key in published.headers}
            self._pass_on(step_id, published.value, headers)

    def emitted(self, step_id: str) -> int:
        """Return how many messages of data a step has emitted so far."""
        with self._lock:
            return self._emitted[step_id]

    def pause(self, published: Published) -> float:
        """Return the seconds until a rebound comes back; they double each time (protocol 5.5)."""
        iteration: int = published.headers["reboundIteration"]
        return float(growing_pause(iteration, self._rebound_pause, _LONGEST_PAUSE))

    def _emission(self, step_id: str, published: Published) -> Emission:
        if published.kind is Kind.SNAPSHOT:
            return Emission(step_id, str(published.headers["snapshotEvent"]), published.value)
        value: Any = published.value
        if published.kind is Kind.REBOUND:
            table = published.headers
            value = {"reason": table["reboundReason"], "iteration": table["reboundIteration"]}
            value["pause"] = self.pause(published)
        elif isinstance(value, Message):
            value = value.payload()
        return Emission(step_id, _EVENTS[published.kind], value)

    def _keep(self, step_id: str, published: Published) -> None:
        if self._state is None or (self._flow and step_id != self._flow.trigger.id):
            return
        merged = published.headers["snapshotEvent"] == "updateSnapshot"
        self._state.save({**self._state.snapshot, **published.value} if merged else published.value)

    def _pass_on(self, step_id: str, message: Message, headers: Mapping[str, Any]) -> None:
        if self._flow is None:
            return
        payload = message.payload()
        edges = self._flow.edges[step_id]
        if not edges and self._flow.report:
            self._report(self._flow.name, self._flow.report, step_id, payload)
        for edge in edges:
            try:
                missing: list[Nothing] = []
                body = _mapped(edge, payload, missing)
            except MappingError as error:
                self._mapping_failed(
                    edge.target, f"The mapping from {step_id} to {edge.target} failed: {error}"
                )
                continue
            self._tell_nothing(edge, missing, payload)
            if body is not None:
                attached, passed = message.attachments, message.passthrough
                self._deliver(edge.target, Message(body, message.headers, attached, passed), headers)

    def _report(self, name: str, report: Mapper, step_id: str, payload: Mapping[str, Any]) -> None:
        try:
            reported = report(payload)
        except MappingError as error:
            self._mapping_failed(step_id, f"The report failed: {error}")
            return
        with self._lock:
            self._output.report(name, reported)
        if self._on_report:
            self._on_report(reported)

    def _save(self, attachments: Mapping[str, Any] | None) -> None:
        if self._saved is None or not attachments:
            return
        with self._lock:
            try:
                for name, path in self._saved.save(attachments).items():
                    self._output.note(f"attachment {name} is saved as {path}")
            except OSError as error:
                self.failed = True
                self._output.problem(f"An attachment cannot be saved: {error}")

    def _tell_nothing(self, edge: Edge, missing: list[Nothing], payload: Mapping[str, Any]) -> None:
        """Say once in a run which field of a mapping is left out, and what there was to take it from."""
        for one in missing:
            place = (edge.source, edge.target, one.field)
            with self._lock:
                if place in self._nothing:
                    continue
                self._nothing.add(place)
                self._output.note(told(one, edge.source, edge.target, payload))

    def _mapping_failed(self, step_id: str, text: str) -> None:
        self.failed = True
        self._show(Emission(step_id, "error", {"name": "MappingError", "message": text}))

    def _show(self, emission: Emission) -> None:
        brief = self._flow is not None and self._flow.report is not None
        with self._lock:  # steps may emit from several threads
            self._emitted[emission.step] += emission.event == "data"
            self._output.emission(emission, brief=brief)


def _mapped(edge: Edge, payload: Mapping[str, Any], missing: list[Nothing]) -> Any:
    """Return the body for the target of an edge; None when its condition is false."""
    if edge.condition and not edge.condition(payload):
        return None
    body = edge.mapper(payload, missing) if edge.mapper else payload.get("body")
    return {} if body is None else body
