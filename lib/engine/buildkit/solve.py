"""A build through Control's Solve, for what POST /build cannot take: several platforms, and caches elsewhere.

The answer is the same: records of a trace, then the image or the error.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import Any

from lib.engine.answer.streams import ProgressLines
from lib.engine.answer.trace import ID
from lib.engine.buildkit.calls import BrokenSessionError
from lib.engine.buildkit.control import SERVICE, Control
from lib.engine.buildkit.rpc_client import Arrived, Ended
from lib.engine.client import Engine
from lib.engine.errors import StreamCut
from lib.engine.protobuf import MalformedError, fields, message, text

Record = dict[str, Any]
_DIGEST = "containerimage.digest"


class SolveLines(ProgressLines):
    """The records of one build; leaving its block ends the build. `names_image`: it has an image as its result."""

    def __init__(
        self, engine: Engine, control: Control, ref: str, request: bytes, *, names_image: bool
    ) -> None:
        self.status, self.headers = 101, {}
        self.method, self.path = "POST", engine.shown("/grpc", {})
        self._control = control
        self._names_image = names_image
        self._items = self._read(ref, request)

    def pace(self, idle: float | None, seconds: float | None) -> None:
        """Allow `idle` seconds of silence and `seconds` in all, from now; then LimitReached is raised."""
        self._control.pace(idle, seconds)

    def close(self) -> None:
        """End the connection, which ends the build, and what it needed beside it."""
        self._control.close()
        if self.closing:
            self.closing()

    def _read(self, ref: str, request: bytes) -> Iterator[Record]:
        # Lines are told from the moment on at which somebody listens.
        status = self._called("Status", message((1, ref)))
        solve = self._called("Solve", request)
        self._control.flush()
        response, ends = b"", {}
        for event in self._arriving():
            if isinstance(event, Ended):
                ends[event.call] = event
            elif event.call == status:
                yield {"id": ID, "aux": binascii.b2a_base64(event.message, newline=False).decode()}
            else:
                response = event.message
            if len(ends) > 1:
                break
        end = ends.get(solve)
        if end is None:
            raise StreamCut("The stream was cut: the connection ended before the build did")
        if end.code:
            yield {"errorDetail": {"message": end.text}, "error": end.text}
        elif self._names_image and (digest := _response(response).get(_DIGEST)):
            yield {"id": "moby.image.id", "aux": {"ID": digest}}

    def _called(self, name: str, request: bytes) -> int:
        call = self._control.rpc.call(f"{SERVICE}/{name}")
        self._control.rpc.send(call, request)
        self._control.rpc.end(call)
        return call

    def _arriving(self) -> Iterator[Arrived | Ended]:
        try:
            yield from self._control.events()
        except BrokenSessionError as broken:
            raise StreamCut(f"The stream was cut: {broken}") from broken


def _response(data: bytes) -> dict[str, str]:
    """Return the map of a SolveResponse."""
    found: dict[str, str] = {}
    try:
        for number, entry in fields(data):
            if number == 1 and isinstance(entry, bytes):
                pair = dict(fields(entry))
                found[text(pair.get(1, b""))] = text(pair.get(2, b""))
    except MalformedError:
        pass
    return found
