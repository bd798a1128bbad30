"""Deliveries that stop before a call until another one has gone on: what is left to luck else, in a given order."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from tests.actions.stepping import Outcome, run_step
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import SocketProxy
from tests.lab.waiting import DEADLINE, ended, wait_until


class StoppingDelivery:
    """One delivery on a way of its own to the engine; bytes that `answers` returns for a call are its answer."""

    def __init__(self, engine: LabEngine, key: str, wish: dict[str, Any]) -> None:
        self._proxy = SocketProxy(engine.socket, ".*")
        self._key, self._wish = key, wish
        self._stop: Callable[[str], bool] = lambda _: False
        self._at, self._go = threading.Event(), threading.Event()
        self.answers: Callable[[str], object] = lambda _: None
        self._thread = threading.Thread(target=self._run)
        self._outcomes: list[Outcome] = []
        self._proxy.before = self._before

    def _before(self, call: str) -> object:
        if not self._go.is_set() and self._stop(call):
            self._at.set()
            assert self._go.wait(DEADLINE)
        return self.answers(call)

    def _run(self) -> None:
        address = {"server": "2", "otherServer": self._proxy.url, "errorPolicy": "emit"}
        self._outcomes.append(run_step(self._key, self._wish, address))

    def until(self, stop: Callable[[str], bool]) -> None:
        """Run to before the first call that `stop` names, or to the end where none comes."""
        self._stop = stop
        self._thread.start()
        wait_until(lambda: self._at.is_set() or not self._thread.is_alive(), "the delivery to stop")

    def whole(self) -> dict[str, Any]:
        """Run to the end, or go on to it; the body of the message."""
        if self._thread.ident is None:
            self._thread.start()
        self._go.set()
        ended(self._thread)
        (outcome,) = self._outcomes
        body: dict[str, Any] = outcome.body
        return body

    def close(self) -> None:
        self._go.set()
        self._proxy.close()


def nth(number: int) -> Callable[[str], bool]:
    """Whether a call is the delivery's call of this number; 0: none is."""
    made: list[str] = []

    def stop(call: str) -> bool:
        made.append(call)
        return len(made) == number

    return stop


def write(number: int) -> Callable[[str], bool]:
    """Whether a call is the delivery's write of this number."""
    made: list[str] = []

    def stop(call: str) -> bool:
        if not call.startswith(("GET", "HEAD")):
            made.append(call)
        return len(made) == number

    return stop


def call(start: str) -> Callable[[str], bool]:
    return lambda found: found.startswith(start)


def after(start: str) -> Callable[[str], bool]:
    """Whether a call is the first one after one that starts so."""
    found: list[str] = []

    def stop(call: str) -> bool:
        found.append(call)
        return len(found) > 1 and found[-2].startswith(start)

    return stop


def second_call(start: str) -> Callable[[str], bool]:
    """Whether a call is the second one that starts so."""
    found: list[str] = []

    def stop(call: str) -> bool:
        if call.startswith(start):
            found.append(call)
        return len(found) == 2

    return stop


def refusal(text: str, status: str = "403 Forbidden") -> bytes:
    return answer(json.dumps({"message": text}).encode(), status)


def answer(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body
