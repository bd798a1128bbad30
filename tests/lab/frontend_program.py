"""The program of a frontend for BuildKit, as a line `# syntax=` names one; it runs in a container of the engine.

It has the engine's own frontend do the work, and says so. Its standard input and output are a connection of HTTP/2 on
which BuildKit is the server: calls of gRPC, a message each way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, TrailersReceived

from lib.engine.protobuf import fields, message

BRIDGE = "/moby.buildkit.v1.frontend.LLBBridge"
OPTION = "BUILDKIT_FRONTEND_OPT_"
OWN = "dockerfile.v0"
MARK = "the frontend of the lab"


class Bridge:
    """The calls, one after the other."""

    def __init__(self) -> None:
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._h2.initiate_connection()

    def call(self, name: str, request: bytes) -> bytes:
        """Return the answer; ends the program with the text of a refusal."""
        stream = self._h2.get_next_available_stream_id()
        head = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", f"{BRIDGE}/{name}"),
            (":authority", "localhost"),
        ]
        self._h2.send_headers(stream, [*head, ("content-type", "application/grpc"), ("te", "trailers")])
        self._h2.send_data(stream, b"\0" + len(request).to_bytes(4, "big") + request, end_stream=True)
        answer, outcome = b"", {}
        for event in self._events(stream):
            if isinstance(event, DataReceived):
                answer += event.data
                self._h2.acknowledge_received_data(event.flow_controlled_length, stream)
            elif isinstance(event, ResponseReceived | TrailersReceived):
                outcome |= dict(event.headers or ())
        if outcome.get("grpc-status") != "0":
            sys.exit(f"{name}: {outcome.get('grpc-message', 'no reason')}")
        return answer[5:]

    def _events(self, stream: int) -> Iterator[object]:
        while True:
            os.write(1, self._h2.data_to_send())
            data = os.read(0, 65_536)
            if not data:
                sys.exit("the connection was cut")
            for event in self._h2.receive_data(data):
                if getattr(event, "stream_id", 0) == stream:
                    yield event
                if isinstance(event, StreamEnded):
                    return


def main() -> None:
    options = [text.partition("=") for name, text in os.environ.items() if name.startswith(OPTION)]
    given = {name: value for name, _, value in options if name != "source"}
    given[f"label:{MARK}"] = "was here"
    pairs = [(3, message((1, name), (2, value))) for name, value in given.items()]
    bridge = Bridge()
    solved = bridge.call("Solve", message((2, OWN), *pairs, (5, 1), (6, 1)))
    result = next(value for number, value in fields(solved) if number == 3)
    bridge.call("Return", message((1, result)))


if __name__ == "__main__":
    main()
