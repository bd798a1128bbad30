"""Everything around one step: broker, platform, environment, the child process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from tests.lab.waiting import wait_until
from tests.sailor.platform import Platform
from tests.sailor.platform_queues import Got, PlatformQueues
from tests.sailor.process import IDENTITY, Process


class StepHarness:
    """One step on its own queues; `start` runs it with changes to its environment (None removes a variable)."""

    def __init__(self, uri: str) -> None:
        self.wires = PlatformQueues(uri)
        self.platform = Platform()
        self.process: Process | None = None

    def environment(self, **changes: str | None) -> dict[str, str | None]:
        return {**IDENTITY, **self.wires.environment(), "ELASTICIO_API_URI": self.platform.url, **changes}

    def start(self, function: str = "act", *, ready: bool = True, **changes: str | None) -> Process:
        """Changes name the variables without their prefix, in lower case; others are taken as they are."""
        environment = {
            name if name[0].isupper() else f"ELASTICIO_{name.upper()}": value
            for name, value in changes.items()
        }
        environment.setdefault("ELASTICIO_FUNCTION", function)
        self.process = Process("lib.sailor.run", self.environment(**environment))
        return self.process.ready() if ready else self.process

    def do(
        self, behaviour: str, headers: dict[str, Any] | None = None, version: int = 1, **body: Any
    ) -> dict[str, Any]:
        """Send a message that makes the function of the component behave so; returns the message's headers."""
        return self.wires.send({"body": {"do": behaviour, **body}}, headers, version)

    def take(self, kind: str) -> Got:
        return self.wires.take(kind)

    def all(self, kind: str, count: int) -> list[Got]:
        return [self.take(kind) for _ in range(count)]

    def settled(self) -> None:
        """Wait until every input has been acked or rejected: a step that stops now leaves nothing behind."""
        wait_until(lambda: self.wires.depth("in") == 0, "the step to take its inputs")
        if self.process is not None and self.process.running:
            assert self.process.stop() == 0
        self.unconsumed()
        assert self.wires.depth("in") == 0

    def unconsumed(self) -> None:
        """Wait until nobody takes inputs any more; then all that a step left undone are in the queue."""
        wait_until(lambda: not self.wires.consumers("in"), "the broker to see that no step is there")

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        return wait_until(condition, what)

    def close(self) -> None:
        if self.process is not None:
            self.process.close()
        self.wires.close()
        self.platform.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
