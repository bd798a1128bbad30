"""A client of gRPC over HTTP/2 without a socket, for what the engine itself serves: behind POST /grpc, or directly.

Calls are opened, messages go out and come in, and each call ends with a code. What an engine can make this hold is
bounded: LONGEST_MESSAGE of each call, and MOST_LEAVING of what it does not take. So is what it can make this do for
nothing (FrameLimit).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings

from lib.engine.buildkit.calls import (
    UNKNOWN,
    BrokenSessionError,
    RefusedCallError,
    Unframed,
    code_of_status,
    framed,
)
from lib.engine.buildkit.frame_limit import FrameLimit

MOST_LEAVING = 16 << 20
"""Bytes that wait for the engine's window."""
_WINDOW = 1 << 20
_CONNECTION_WINDOW = 4 << 20
_LONGEST_TEXT = 4_096
_HEADERS = 1 << 20  # the details of an error are a header


@dataclass(frozen=True)
class Arrived:
    """A message of a call."""

    call: int
    message: bytes


@dataclass(frozen=True)
class Ended:
    """The end of a call: code 0 is success."""

    call: int
    code: int
    text: str = ""


class _Open:
    """A call under way: `leaving` waits for the engine's window, `last` says that nothing follows, `ended` told it."""

    def __init__(self) -> None:
        self.unframed = Unframed()
        self.leaving = bytearray()
        self.last = self.ended = False
        self.code, self.text = UNKNOWN, "the engine ended the call without a code"


class RpcClient:
    """The calls on one connection. After each method, `data` has what is to be sent.

    `scheme`, `authority` and `prefix`, which comes before every path, are those of the address; `headers` go with every
    call, in lower case.
    """

    def __init__(
        self,
        *,
        scheme: str = "http",
        authority: str = "localhost",
        prefix: str = "",
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._open: dict[int, _Open] = {}
        self._frames = FrameLimit()
        self._head = [(":method", "POST"), (":scheme", scheme), (":authority", authority)]
        self._prefix = prefix
        self._tail = [("content-type", "application/grpc"), ("te", "trailers"), *headers]
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._h2.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: _HEADERS,
            },
        )
        self._h2.decoder.max_header_list_size = _HEADERS
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW)

    def data(self) -> bytes:
        """Return the bytes to send now."""
        return self._h2.data_to_send()

    def call(self, path: str, metadata: Iterable[tuple[str, str]] = ()) -> int:
        """Open a call and return its number; `metadata` are headers in lower case."""
        number = self._h2.get_next_available_stream_id()
        head = [*self._head, (":path", self._prefix + path), *self._tail]
        self._h2.send_headers(number, [*head, *metadata])
        self._open[number] = _Open()
        return number

    def send(self, call: int, message: bytes) -> None:
        """Send a message. Raises BrokenSessionError where the engine takes nothing any more."""
        one = self._open.get(call)
        if one is None:
            return
        one.leaving += framed(message)
        self._pump(call)
        if len(one.leaving) > MOST_LEAVING:
            raise BrokenSessionError(f"the engine does not take {MOST_LEAVING} bytes")

    def end(self, call: int) -> None:
        """Send no more messages of a call."""
        if one := self._open.get(call):
            one.last = True
            self._pump(call)

    def feed(self, data: bytes) -> Iterator[Arrived | Ended]:
        """Take bytes of the engine; yield messages and ends. Raises BrokenSessionError."""
        try:
            events = self._h2.receive_data(data)
            self._frames.take(len(data), events)
            for event in events:
                yield from self._handle(event)
            for call in list(self._open):
                self._pump(call)
        except (H2Error, RefusedCallError) as fault:
            raise BrokenSessionError(f"HTTP/2: {type(fault).__name__}") from fault

    def _handle(self, event: object) -> Iterator[Arrived | Ended]:
        if isinstance(event, ResponseReceived | TrailersReceived):
            self._code(event)
        elif isinstance(event, DataReceived):
            if event.flow_controlled_length:
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            one = self._open.get(event.stream_id)
            for message in one.unframed.feed(event.data) if one else ():
                yield Arrived(event.stream_id, message)
        elif isinstance(event, StreamEnded | StreamReset):
            one = self._open.pop(event.stream_id, None)
            if one is None:
                return
            if isinstance(event, StreamEnded) and not one.ended:  # nothing more is wanted of this side
                self._h2.reset_stream(event.stream_id, ErrorCodes.CANCEL)
            yield Ended(event.stream_id, one.code, one.text)
        elif isinstance(event, ConnectionTerminated):
            for call, one in list(self._open.items()):
                yield Ended(call, one.code, one.text)
            self._open.clear()

    def _code(self, event: ResponseReceived | TrailersReceived) -> None:
        one = self._open.get(event.stream_id)
        headers = {bytes(name): bytes(value[:_LONGEST_TEXT]) for name, value in event.headers or ()}
        code = headers.get(b"grpc-status", b"")
        if one is None:
            return
        if code.isdigit() and len(code) <= 3:  # noqa: PLR2004
            one.code = int(code)
            one.text = unquote(headers.get(b"grpc-message", b"").decode("latin-1"))
        elif (status := headers.get(b":status", b"200")) != b"200":
            told = status.decode("latin-1")[:3]
            one.code, one.text = code_of_status(told), f"the engine answered the call with {told}"

    def _pump(self, call: int) -> None:
        one = self._open[call]
        while one.leaving:
            room = min(self._h2.local_flow_control_window(call), self._h2.max_outbound_frame_size)
            if room <= 0:
                return
            self._h2.send_data(call, bytes(one.leaving[:room]))
            self._frames.moved()
            del one.leaving[:room]
        if one.last and not one.ended:
            self._h2.end_stream(call)
            one.ended = True
