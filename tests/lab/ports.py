"""Ports that stay ours while the server on them is not there: before its start, and while it is down."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from tests.lab.netns import bind_inside


class HeldPort:
    """A free port of the loopback, `number`, bound but not listened on: connects are refused.

    Whoever binds with SO_REUSEADDR, as servers do, may listen on it; the kernel gives it to nobody else.
    With a `namespace` it is a port in there.
    """

    def __init__(self, namespace: str = "") -> None:
        self._socket = bind_inside(namespace)
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give it up; the server has ended."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
