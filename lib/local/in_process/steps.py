"""Makes the steps of a run from the component's code, a configuration, the in-process transport and a folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.local.attachments import SavedAttachments
from lib.local.output.emission import Output
from lib.local.output.step_log import step_logger
from lib.sailor.component import Component, Function
from lib.sailor.hooks import call_init
from lib.sailor.logging import Logger
from lib.sailor.message import Message
from lib.sailor.net.destinations import Destinations
from lib.sailor.settings import Settings
from lib.sailor.standalone.folder import FolderStates, FolderStorage
from lib.sailor.standalone.in_process import InProcess, Published
from lib.sailor.standalone.step import service_context
from lib.sailor.step.context import Context
from lib.sailor.step.resources import StepResources
from lib.sailor.step.snapshot import Snapshot
from lib.sailor.step.step import Step
from lib.sailor.transport import Delivery, Storage

Listener = Callable[[Published], None]


@dataclass(frozen=True)
class LocalStep:
    """One step with a transport of its own; `function` has its hooks."""

    id: str
    function: Function
    step: Step
    transport: InProcess = field(repr=False)

    def run(self, message: Message, headers: Mapping[str, Any] | None = None) -> bool:
        """Work on one message; return True when it ended without an error."""
        return self.redeliver(self.transport.delivery(message, headers))

    def redeliver(self, delivery: Delivery) -> bool:
        """Work on an input that comes back after a rebound; return True when it ended without an error."""
        try:
            return self.step.run(delivery)
        finally:
            self.transport.finished.clear()


@dataclass(frozen=True)
class StepFactory:
    """What all steps of a run share; `data` is the folder for files, `rebound_pause` is in seconds."""

    component: Component
    output: Output
    data: Path
    debug: bool = False
    rebound_pause: float = 15.0
    variables: Mapping[str, str] = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)
    saved: SavedAttachments | None = None

    def step(
        self,
        step_id: str,
        key: str,
        config: Mapping[str, Any],
        listener: Listener,
        *,
        snapshot: Any = None,
        passthrough: bool = True,
        states: str | None = None,
    ) -> LocalStep:
        """Make the step of a function and call its hook init; raises ComponentError when its code cannot be loaded.

        `listener` gets each publish. `states` is the folder for what does not fit into the snapshot.
        """
        function = self.component.function(key)
        process = function.required_process()

        def published(publish: Published) -> None:
            transport.published.clear()  # nobody reads the list, and it would grow without end
            listener(publish)

        transport = InProcess(published)
        settings = Settings(
            step_id=step_id,
            function=key,
            rebound_initial_expiration=round(self.rebound_pause * 1000),
            urls=Destinations.read("URL", os.environ),
        )
        resources = StepResources(
            settings,
            transport,
            snapshot=Snapshot(snapshot),
            passthrough=passthrough,
            cancelled=self.cancelled,
        )
        step = Step(
            process,
            resources,
            self.logger(step_id, key),
            config,
            self.variables,
            function.resolves_objects,
            storage=self.storage,
            states=FolderStates(states or str(self.data / "states")),
            passing=(KeyboardInterrupt,),
        )
        call_init(function, config)
        return LocalStep(step_id, function, step, transport)

    def logger(self, step_id: str, key: str = "") -> Logger:
        """Return the logger of a step, or of another part of the run under that name."""
        return step_logger(self.output, step_id, key, debug=self.debug)

    def service_context(self) -> Context:
        """Return the context for calls without a message, such as the verification of a credential."""
        return service_context(self.logger("service"), self.storage, self.cancelled)

    @property
    def storage(self) -> Storage:
        return FolderStorage(str(self.data / "attachments"))
