"""Runs a flow over RabbitMQ: each step is a process of its own, and this process does the platform's part.

- `Topology` makes the exchange and queues, `PlatformServer` answers the steps' API calls, `StepProcess` runs a step.
- `EventSource` receives what the steps publish; `Routing` maps it and sends it to the next steps' queues.
- At the end the steps are ended in the flow's order, each when its queues are empty and all earlier steps have ended.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lib.local.broker.events import EventSource
from lib.local.broker.platform_server import PlatformServer
from lib.local.broker.step_environment import Surroundings
from lib.local.broker.step_process import StepProcess
from lib.local.broker.topology import Topology
from lib.local.flow.flowfile import Flow, Node
from lib.local.flow.graph import in_order
from lib.local.flow.routing import Routing
from lib.local.in_process.schedule import Schedule
from lib.local.in_process.steps import StepFactory
from lib.local.state import StateFile
from lib.sailor.errors import TransportError
from lib.sailor.message import Message
from lib.sailor.message.cipher import Aes
from lib.sailor.message.ids import random_id
from lib.sailor.standalone.in_process import Published
from lib.sailor.transport import Kind

_START_SECONDS = 60.0
_LOOK_AGAIN = 0.05
"""Seconds between two looks at a step's queues."""


class BrokerRun:
    """A context manager that starts everything and removes all that it made.

    `configs` are by step id. Raises TransportError when the broker refuses or a step's process ends by itself.
    """

    def __init__(
        self,
        uri: str,
        flow: Flow,
        configs: Mapping[str, Mapping[str, Any]],
        steps: StepFactory,
        state: StateFile,
    ) -> None:
        name, password, iv = f"local-{random_id()[:8]}", secrets.token_urlsafe(24), secrets.token_hex(8)
        self._flow, self._steps = flow, steps
        logger = steps.logger("broker")
        self._routing = Routing(
            steps.output,
            self._deliver,
            flow=flow,
            state=state,
            rebound_pause=steps.rebound_pause,
            saved=steps.saved,
        )
        self._topology = Topology(uri, name, list(flow.nodes), logger)
        self._events = EventSource(
            self._topology, uri, Aes(password, iv), self._published, self._went_wrong, logger
        )
        self._platform = PlatformServer(name, _step_data(flow, configs, state), steps.data / "attachments")
        self._surroundings = Surroundings(
            name,
            name,
            uri,
            self._platform.url,
            self._platform.key,
            password,
            iv,
            steps.rebound_pause,
            steps.debug,
        )
        self._processes: dict[str, StepProcess] = {}
        self._problem: BaseException | None = None
        self._undo = ExitStack()

    @property
    def failed(self) -> bool:
        """Whether any step or mapping ended in an error."""
        return self._routing.failed

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self._topology.close)
            self._topology.open()
            undo.enter_context(self._platform)
            undo.callback(self._events.close)
            self._events.open()
            undo.callback(self._end_all)
            for node in self._flow.nodes.values():
                self._processes[node.id] = self._start(node)
            for process in self._processes.values():
                process.settled.wait(_START_SECONDS)
            self._check()
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._steps.cancelled.set()
        self._undo.close()

    def poll(self, schedule: Schedule) -> None:
        """Send the trigger an empty message on schedule, then end the steps when all messages are worked on."""
        count = known = 0
        trigger = self._flow.trigger.id
        while not self._steps.cancelled.is_set():
            self._deliver(trigger, Message(), {})
            count += 1
            if count == schedule.times:
                break
            # Its emissions come later, so this is what earlier polls found since the last look.
            known, new = self._routing.emitted(trigger), self._routing.emitted(trigger) - known
            with self._steps.output.waiting(count, new, schedule.every):
                self._steps.cancelled.wait(schedule.every)
        links = [(edge.source, edge.target) for edges in self._flow.edges.values() for edge in edges]
        for step in in_order(list(self._flow.nodes), links):
            self._finish(step)

    def _finish(self, step: str) -> None:
        """End a step when its queues are empty, and wait until what it published has been handed on."""
        queues = (self._topology.input_of(step), self._topology.rebounds_of(step))
        while any(self._topology.waiting(queue) for queue in queues):
            self._check()
            time.sleep(_LOOK_AGAIN)
        self._check()
        self._processes[step].end()
        self._events.settle()
        if any(self._topology.waiting(queue) for queue in queues):  # a rebound came while the step ended
            self._processes[step] = self._start(self._flow.nodes[step])
            self._finish(step)

    def _start(self, node: Node) -> StepProcess:
        component = self._steps.component
        startup = node is self._flow.trigger and component.function(node.function).startup is not None
        queue = self._topology.input_of(node.id)
        variables = self._surroundings.of(node.id, node.function, queue, startup=startup)
        return StepProcess(node.id, Path(component.folder), variables, self._steps.output, self._died)

    def _end_all(self) -> None:
        for process in self._processes.values():
            process.end()
        trigger = self._flow.trigger
        if self._platform.startup_state is not None:
            variables = self._surroundings.of(trigger.id, trigger.function, "")
            variables["ELASTICIO_HOOK_SHUTDOWN"] = "true"
            folder = Path(self._steps.component.folder)
            StepProcess(trigger.id, folder, variables, self._steps.output, self._died).wait()

    def _published(self, step: str, published: Published) -> None:
        if published.kind is Kind.SNAPSHOT:
            known = self._platform.steps[step]["snapshot"]
            merged = published.headers["snapshotEvent"] == "updateSnapshot"
            self._platform.steps[step]["snapshot"] = (
                {**known, **published.value} if merged else published.value
            )
        self._routing.published(step, published)

    def _deliver(self, step: str, message: Message, headers: Mapping[str, Any]) -> None:
        self._events.send(step, message, headers)

    def _died(self, step: str, code: int) -> None:
        self._went_wrong(TransportError(f"The process of {step} ended by itself with exit code {code}"))

    def _went_wrong(self, error: BaseException) -> None:
        self._problem = self._problem or error
        self._steps.cancelled.set()

    def _check(self) -> None:
        if self._problem is not None:
            raise self._problem


def _step_data(
    flow: Flow, configs: Mapping[str, Mapping[str, Any]], state: StateFile
) -> dict[str, dict[str, Any]]:
    """Return the step data of all steps, by step id (protocol 2.2)."""
    return {
        step: {
            "config": configs[step],
            "snapshot": state.snapshot if step == flow.trigger.id else {},
            "is_passthrough": True,
            "variables": flow.variables,
        }
        for step in flow.nodes
    }
