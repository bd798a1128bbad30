"""Runs the steps of a flow in this process, on the main thread.

When a step emits data, `Routing` maps them, and the next step works on them before the emission returns. So a message
goes through the whole flow in one call of `work`. Rebounds wait in a list; `work` runs them, when they are due,
after that.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.local.flow.flowfile import Flow
from lib.local.flow.routing import OnReport, Routing
from lib.local.in_process.steps import LocalStep, StepFactory
from lib.local.output.emission import Output
from lib.local.state import StateFile
from lib.sailor.message import Message
from lib.sailor.standalone.in_process import Published
from lib.sailor.transport import Delivery, Kind


@dataclass(order=True)
class _PutBack:
    """An input that comes back to its step at the time `due` (time.monotonic())."""

    due: float
    step: LocalStep = field(compare=False)
    delivery: Delivery = field(compare=False)


class Run:
    """The steps of one run; `only` makes one step, `link` those of a flow."""

    def __init__(
        self,
        factory: StepFactory,
        state: StateFile | None = None,
        on_report: OnReport | None = None,
        *,
        comes_back: bool = True,
    ) -> None:
        """Without `comes_back` a rebound counts as a failure and is not run: a person waits for the one message."""
        self._comes_back = comes_back
        self._factory = factory
        self._state = state
        self._on_report = on_report
        self._put_back: list[_PutBack] = []
        self._steps: dict[str, LocalStep] = {}
        self._routing = self._route(None)

    @property
    def failed(self) -> bool:
        """Whether any step or mapping ended in an error."""
        return self._routing.failed

    @property
    def output(self) -> Output:
        return self._factory.output

    def emitted(self, step_id: str) -> int:
        """Return how many messages of data a step has emitted so far."""
        return self._routing.emitted(step_id)

    def only(self, key: str, config: Mapping[str, Any]) -> LocalStep:
        """Make the one step of a run, whose id is the function's key; raises ComponentError."""
        return self._add(key, key, config, passthrough=False, keeps_state=True)

    def link(self, flow: Flow, configs: Mapping[str, Mapping[str, Any]]) -> LocalStep:
        """Make all steps of a flow and return that of the trigger; `configs` are by step id. Raises ComponentError."""
        self._routing = self._route(flow)
        for node in flow.nodes.values():
            keeps = node is flow.trigger
            self._add(node.id, node.function, configs[node.id], passthrough=True, keeps_state=keeps)
        return self._steps[flow.trigger.id]

    def work(self, step: LocalStep, message: Message) -> None:
        """Run a step with one message, all later steps with what follows from it, and then the rebounds."""
        name = step.id if step.id == step.function.key else f"{step.id} {step.function.key}"
        with self._factory.output.working(name):
            self._ended(step.run(message))
        while self._put_back and not self._factory.cancelled.is_set():
            self._put_back.sort()
            back = self._put_back.pop(0)
            with self._factory.output.working(f"{back.step.id} waits for its next try"):
                self._factory.cancelled.wait(max(0.0, back.due - time.monotonic()))
                self._ended(back.step.redeliver(back.delivery))

    def _route(self, flow: Flow | None) -> Routing:
        return Routing(
            self._factory.output,
            self._deliver,
            flow=flow,
            state=self._state,
            rebound_pause=self._factory.rebound_pause,
            on_report=self._on_report,
            saved=self._factory.saved,
        )

    def _add(
        self, step_id: str, key: str, config: Mapping[str, Any], *, passthrough: bool, keeps_state: bool
    ) -> LocalStep:
        def listener(published: Published) -> None:
            self._published(step_id, published)

        state = self._state if keeps_state else None
        step = self._factory.step(
            step_id,
            key,
            config,
            listener,
            snapshot=state.snapshot if state else None,
            passthrough=passthrough,
            states=state.folder if state else None,
        )
        self._steps[step_id] = step
        return step

    def _deliver(self, step_id: str, message: Message, headers: Mapping[str, Any]) -> None:
        self._ended(self._steps[step_id].run(message, headers))

    def _ended(self, ok: bool) -> None:
        """Set `failed` when a step ended with an error, also if it could not emit that error."""
        if not ok:
            self._routing.failed = True

    def _published(self, step_id: str, published: Published) -> None:
        if published.kind is Kind.REBOUND and not self._comes_back:
            self._routing.failed = True
        elif published.kind is Kind.REBOUND:
            due = time.monotonic() + self._routing.pause(published)
            delivery = Delivery(published.outgoing.body, published.headers)
            self._put_back.append(_PutBack(due, self._steps[step_id], delivery))
        self._routing.published(step_id, published)
