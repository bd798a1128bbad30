"""Runs steps that are linked to a flow: what one emits goes to the next ones before its emission returns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from lib.local.emission import Emission
from lib.local.flowfile import Flow
from lib.local.mapper import Mapper, MappingError
from lib.local.state import StateFile
from lib.local.workshop import LocalStep, Workshop
from lib.sailor.inprocess import Published
from lib.sailor.message import Message
from lib.sailor.transport import Delivery, Kind

_CARRIED = ("threadId", "messageId", "stepId")
_EVENTS = {Kind.DATA: "data", Kind.ERROR: "error", Kind.REBOUND: "rebound", Kind.REPLY: "httpReply"}

OnReport = Callable[[Any], None]


@dataclass(order=True)
class _PutBack:
    """A rebound: the input comes back to its step when it is due."""

    due: float
    step: LocalStep = field(compare=False)
    delivery: Delivery = field(compare=False)


class Run:
    """The steps of one run; `failed` says whether any of them ended in an error."""

    def __init__(
        self, workshop: Workshop, state: StateFile | None = None, on_report: OnReport | None = None
    ) -> None:
        self._workshop = workshop
        self._state = state or StateFile(None)
        self._on_report = on_report
        self._flow: Flow | None = None
        self._lock = threading.Lock()
        self._put_back: list[_PutBack] = []
        self.steps: dict[str, LocalStep] = {}
        self._keeper = ""
        self.failed = False

    def add(
        self, step_id: str, key: str, config: Mapping[str, Any], *, keeps_state: bool = False
    ) -> LocalStep:
        """Make a step; the one that keeps state gets the stored snapshot and stores each new one."""

        def listener(published: Published) -> None:
            self._published(step_id, published)

        snapshot = self._state.snapshot if keeps_state else None
        self._keeper = step_id if keeps_state else self._keeper
        step = self._workshop.step(
            step_id, key, config, listener, snapshot=snapshot, passthrough=self._flow is not None
        )
        self.steps[step_id] = step
        return step

    def add_flow(self, flow: Flow, configs: Mapping[str, Mapping[str, Any]]) -> LocalStep:
        """Make all steps of a flow and link them; returns the trigger's."""
        self._flow = flow
        for node in flow.nodes.values():
            self.add(node.id, node.function, configs[node.id], keeps_state=node is flow.trigger)
        return self.steps[flow.trigger.id]

    def work(self, step: LocalStep, message: Message, headers: Mapping[str, Any] | None = None) -> None:
        """Work on one message and on everything that follows from it, rebounds included."""
        self._run(step, message, headers)
        while self._put_back and not self._workshop.cancelled.is_set():
            self._put_back.sort()
            back = self._put_back.pop(0)
            self._workshop.cancelled.wait(max(0.0, back.due - time.monotonic()))
            if not back.step.redeliver(back.delivery):
                self.failed = True

    def _run(self, step: LocalStep, message: Message, headers: Mapping[str, Any] | None) -> None:
        outermost = not headers
        text = f"{step.id} {step.function.key}" if step.id != step.function.key else step.id
        with self._workshop.output.working(text) if outermost else nullcontext():
            if not step.run(message, headers):
                self.failed = True

    def _published(self, step_id: str, published: Published) -> None:
        if published.kind is Kind.REPLY and "x-eio-error-response" in published.headers:
            return  # the error itself is published, too
        event = _event(published)
        value = published.value.payload() if isinstance(published.value, Message) else published.value
        if event == "rebound":
            value = self._rebound(step_id, published)
        elif published.kind is Kind.SNAPSHOT and step_id == self._keeper:
            merged = event == "updateSnapshot"
            self._state.save({**self._state.snapshot, **value} if merged else value)
        self._show(Emission(step_id, event, value))
        if event == "data":
            self._pass_on(step_id, published)

    def _rebound(self, step_id: str, published: Published) -> dict[str, Any]:
        pause = (published.outgoing.expiration or 0) / 1000
        delivery = Delivery(published.outgoing.body, published.headers)
        self._put_back.append(_PutBack(time.monotonic() + pause, self.steps[step_id], delivery))
        return {
            "reason": published.headers["reboundReason"],
            "iteration": published.headers["reboundIteration"],
            "pause": pause,
        }

    def _pass_on(self, step_id: str, published: Published) -> None:
        message: Message = published.value
        payload = message.payload()
        headers = {key: published.headers[key] for key in _CARRIED if key in published.headers}
        edges = self._flow.edges[step_id] if self._flow else ()
        if not edges and self._flow and self._flow.report:
            self._report(self._flow, self._flow.report, step_id, payload)
        for edge in edges:
            try:
                if edge.condition and not edge.condition(payload):
                    continue
                body = edge.mapper(payload) if edge.mapper else message.body
            except MappingError as error:
                text = f"The mapping from {edge.source} to {edge.target} failed: {error}"
                self._mapping_failed(edge.target, text)
                continue
            passed = Message(body, message.headers, message.attachments, message.passthrough, message.id)
            self._run(self.steps[edge.target], passed, headers)

    def _report(self, flow: Flow, report: Mapper, step_id: str, payload: Mapping[str, Any]) -> None:
        try:
            reported = report(payload)
        except MappingError as error:
            self._mapping_failed(step_id, f"The report failed: {error}")
            return
        with self._lock:
            self._workshop.output.report(flow.name, reported)
        if self._on_report:
            self._on_report(reported)

    def _mapping_failed(self, step_id: str, text: str) -> None:
        self.failed = True
        self._show(Emission(step_id, "error", {"name": "MappingError", "message": text}))

    def _show(self, emission: Emission) -> None:
        brief = self._flow is not None and self._flow.report is not None
        with self._lock:  # steps may emit from several threads
            self._workshop.output.emission(emission, brief=brief)


def _event(published: Published) -> str:
    if published.kind is Kind.SNAPSHOT:
        return str(published.headers["snapshotEvent"])
    return _EVENTS[published.kind]
