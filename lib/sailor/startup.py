"""Starts a step: from the settings to consuming, in the platform's order (protocol 2.1).

Three slow things go on at the same time: the I/O thread connects to the broker, the thread `step-data` asks the
platform's API, and the thread that calls `run` imports the function's file. If the API and the import fail, the
API's error is reported. After that the hooks run, then the workers start, and then the step consumes.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from lib.sailor import hooks
from lib.sailor.amqp.transport import AmqpTransport
from lib.sailor.component import Component, Function
from lib.sailor.errors import ComponentError, EmitError, TransportError
from lib.sailor.logging import Logger
from lib.sailor.message import headers
from lib.sailor.message.cipher import Aes
from lib.sailor.message.ids import random_id
from lib.sailor.platform.api import Platform, StepData
from lib.sailor.platform.attachments import Attachments
from lib.sailor.platform.object_storage import Maester
from lib.sailor.platform.states import States
from lib.sailor.secrets.names import secrets_within
from lib.sailor.settings import Settings
from lib.sailor.step.resources import StepResources, throttles
from lib.sailor.step.snapshot import Snapshot
from lib.sailor.step.step import Process, Step
from lib.sailor.step.workers import Workers
from lib.sailor.transport import Kind, Outgoing


class Startup:
    """Makes all parts of one step and starts them; `Run` stops them through `transport`, `workers` and `cancelled`.

    `failed` is called, on any thread, with an exception that ends the process; `idle` when all workers are done.
    """

    def __init__(
        self,
        settings: Settings,
        logger: Logger,
        failed: Callable[[BaseException], None],
        idle: Callable[[], None],
    ) -> None:
        self.cancelled = threading.Event()
        self.workers: Workers | None = None
        self._settings = settings
        self._logger = logger
        self._idle = idle
        self._failed = failed
        self._cipher = Aes(settings.message_crypto_password, settings.message_crypto_iv)
        self._platform = Platform(settings)
        objects = Maester(settings) if settings.object_storage_uri else None
        self._states = States(objects, self._cipher) if objects and settings.object_storage_token else None
        self.transport = AmqpTransport(settings, logger, failed, objects)

    def run(self) -> None:
        """Return when the broker delivers inputs; a failure is published to the error queue and raised."""
        self.transport.open()
        try:
            step = self._prepare()
            self.workers = Workers(
                self._settings.rabbitmq_prefetch_sailor, self.transport, step, self._idle, self._failed
            )
            self.workers.start()
            self.transport.consume()
        except BaseException as error:  # a hook may end the process with sys.exit
            self._report(error)
            raise
        self._logger.info("Fully initialized and waiting for messages")
        self._cipher.seal(b"")  # imports the cipher's library while no input waits for it

    def _prepare(self) -> Step:
        answer = _meanwhile(self._platform.step)
        component = Component.at(self._settings.component_path)
        try:
            function = component.function(self._settings.function)
        finally:
            data = answer()  # raises first: a refusal of the platform goes before an error of the component
        self._logger.secrets.add(secrets_within(data.config))
        if function.process is None:
            raise ComponentError("Process function is not found")
        self.transport.wait_open()
        if self._settings.startup_required:
            hooks.call_startup(function, data.config, self._platform, self._logger)
        hooks.call_init(function, data.config)
        return self._step(function, function.process, data)

    def _step(self, function: Function, process: Process, data: StepData) -> Step:
        return Step(
            process,
            self._resources(data),
            self._logger,
            data.config,
            data.variables,
            resolves_objects=function.resolves_objects,
            platform=self._platform,
            storage=Attachments(self._settings, self._platform),
            states=self._states,
        )

    def _resources(self, data: StepData) -> StepResources:
        account = data.config.get("_account")
        return StepResources(
            self._settings,
            self.transport,
            self._cipher,
            Snapshot(data.snapshot),
            data.passthrough,
            self._platform,
            str(account) if account else None,
            throttles(self._settings),
            self.cancelled,
        )

    def _report(self, error: BaseException) -> None:
        """Publish a failed start as an error without an input (protocol 2.6); log it when that fails."""
        try:
            self.transport.wait_open()
            encoder = self._resources(StepData()).encoder
            _, body = encoder.error(error, None, self._logger.secrets)
            table = {**headers.identity(self._settings), "messageId": random_id()}
            self.transport.publish(Outgoing(Kind.ERROR, body, table))
        except (TransportError, EmitError) as unsent:
            self._logger.error("The failed start cannot be reported", err=unsent)


def _meanwhile(call: Callable[[], StepData]) -> Callable[[], StepData]:
    """Begin a call on a new thread; the returned function waits for the result, or raises the call's error."""
    results: queue.SimpleQueue[tuple[StepData | None, Exception | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            results.put((call(), None))
        except Exception as error:  # noqa: BLE001 - `result` raises it
            results.put((None, error))

    threading.Thread(target=work, name="step-data", daemon=True).start()

    def result() -> StepData:
        data, error = results.get()
        if error is not None:
            raise error
        return data or StepData()

    return result
