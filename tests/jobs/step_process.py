"""One step with one message in a process of its own, which can be killed at any moment.

The processes are forked from one that has loaded all jobs before (multiprocessing's fork server), because a new
interpreter with all its imports takes longer than most steps.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from lib.sailor.logging import LEVELS, Logger
from lib.sailor.message import Message
from lib.sailor.settings import Settings
from lib.sailor.standalone.folder import FolderStorage
from lib.sailor.standalone.in_process import InProcess, Published
from lib.sailor.step.resources import StepResources
from lib.sailor.step.step import Step
from lib.sailor.transport import Kind
from tests.actions.stepping import COMPONENT, Quiet
from tests.lab.waiting import DEADLINE
from tests.local.running import environment

__all__ = ["BaseProcess", "StepProcess"]
FLOW = {"flow_id": "flow", "step_id": "step_1"}
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.jobs.all_loaded"])


class StepProcess:
    """A process that waits for its step."""

    def __init__(self) -> None:
        self._far, near = _FORKS.Pipe()
        self.process: BaseProcess = _FORKS.Process(target=_work, args=(near,), daemon=True)
        try:
            self.process.start()
        finally:
            near.close()

    def work(self, spec: dict[str, Any], during: Callable[[BaseProcess], None]) -> list[dict[str, Any]]:
        """Let it work on the message of `spec`; return the lines that it told until its end, or until it was killed.

        `during` is called with the process while it works.
        """
        try:
            self._far.send(spec)
            during(self.process)
            lines = []
            while self._far.poll(DEADLINE):
                lines.append(self._far.recv())
            raise TimeoutError(f"the step works after {DEADLINE} s still; it told {lines}")
        except EOFError:
            return lines
        finally:
            self.process.kill()
            self.process.join(DEADLINE)
            self._far.close()


def _work(near: Connection) -> None:
    os.environ.clear()
    os.environ.update(environment())
    try:
        _step(near.recv(), near.send)
    except BaseException:  # noqa: BLE001 - a step that breaks is no step that was killed: the test has to see it
        near.send({"broken": traceback.format_exc()})


def _step(spec: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> None:
    def told(published: Published) -> None:
        is_message = isinstance(published.value, Message)
        value = published.value.body if is_message else published.value
        if published.kind is Kind.REBOUND:
            value = published.headers["reboundReason"]
        say({"kind": published.kind.name, "value": value, "id": published.headers.get("messageId")})

    function = COMPONENT.function(spec["key"])
    assert function.process is not None
    transport = InProcess(told)
    settings = Settings(data_rate_limit=10**6, error_rate_limit=10**6, **FLOW)
    resources = StepResources(settings, transport)
    signal.signal(signal.SIGTERM, lambda *_: resources.cancelled.set())
    storage = FolderStorage(spec["folder"]) if spec["folder"] else None
    logger = Logger("test", LEVELS["error"], Quiet(), {})
    step = Step(function.process, resources, logger, spec["config"], storage=storage)
    message = Message(body=spec["body"], attachments=spec["attachments"])
    delivery = transport.delivery(message, spec["headers"])
    step.run(replace(delivery, facts={"redelivered": spec["redelivered"]}))
    say({"finished": bool(transport.finished and transport.finished[0][1])})
