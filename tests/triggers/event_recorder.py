"""What really happened on an engine: its event stream, read from the first moment on by nobody's code but the lab's."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

from lib.trigger.clock import nanoseconds, unix_time
from tests.lab.engine import LabEngine
from tests.lab.waiting import DEADLINE, ended


class EventRecorder:
    """Records the events of an engine while it is open; with `remembered` also all that it still knows of before."""

    def __init__(self, engine: LabEngine, *, remembered: bool = False) -> None:
        self.events: list[dict[str, Any]] = []
        self._arrived = threading.Condition()
        self._engine = engine
        self._connection = engine.wire.connect()
        # Since a time of the engine's own, so that nothing falls between the head of the answer and the subscription.
        self._since = "0" if remembered else self._now(engine)
        self._connection.request("GET", f"/events?since={self._since}")
        self._answer = self._connection.getresponse()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @staticmethod
    def _now(engine: LabEngine) -> str:
        time: str = engine.wire.do("GET", "/info").json()["SystemTime"]
        return unix_time(nanoseconds(time))

    def _read(self) -> None:
        for line in self._answer:
            if line.strip():
                with self._arrived:
                    self.events.append(json.loads(line))
                    self._arrived.notify_all()

    def wait(self, action: str, identity: str) -> dict[str, Any]:
        """Wait for an event of an object."""

        def found() -> dict[str, Any] | None:
            return next(
                (e for e in self.events if e["Action"] == action and e["Actor"]["ID"] == identity), None
            )

        with self._arrived:
            event = self._arrived.wait_for(found, DEADLINE)
        assert event, f"{action} of {identity} did not happen"
        return event

    def close(self) -> None:
        """End the stream, and complete it: the engine may not have written the last events when it is cut off."""
        known = self._engine.wire.do(
            "GET", "/events", since=self._since, until=self._now(self._engine)
        ).lines()
        self._connection.sock.shutdown(socket.SHUT_RDWR)
        ended(self._thread)
        self._answer.close()
        self._connection.close()
        self.events += [event for event in known if event not in self.events]
