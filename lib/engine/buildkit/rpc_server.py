"""A server of gRPC over HTTP/2 without a socket: bytes of the engine go in, bytes for the engine come out.

After POST /session the engine is the client. It opens one stream of HTTP/2 for each call: headers with the method, the
messages, its end. The answer is headers, messages, and headers with the code. A refusal is headers with the code alone.

What a hostile engine can make this hold is bounded: STREAMS calls at a time, LONGEST_MESSAGE each, MOST_HELD in all.
So is what it can make this do for nothing (FrameLimit).
"""

from __future__ import annotations

from urllib.parse import quote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings

from lib.engine.buildkit.calls import (
    INTERNAL,
    OK,
    UNIMPLEMENTED,
    UNKNOWN,
    Answers,
    BrokenSessionError,
    Call,
    Methods,
    RefusedCallError,
    Unframed,
    framed,
)
from lib.engine.buildkit.frame_limit import FrameLimit

STREAMS = 32
MOST_HELD = 16 << 20
"""Bytes of messages that are not whole yet, and of answers that the engine does not take, in all calls together."""
_WINDOW = 1 << 20
_CONNECTION_WINDOW = 4 << 20
_LONGEST_HEADER = 4_096  # characters of a value of metadata


class _Open:
    """A call under way. `code` is None as long as it has no outcome; `leaving` waits for the engine's window."""

    def __init__(self, call: Call | None) -> None:
        self.call = call
        self.unframed = Unframed()
        self.leaving = bytearray()
        self.code: int | None = None
        self.text = ""
        self.began = self.heard_all = False


class RpcServer:
    """Serves `methods`, by path such as `/grpc.health.v1.Health/Check`. `ended`: the engine says goodbye."""

    def __init__(self, methods: Methods) -> None:
        self.ended = False
        self._methods = methods
        self._open: dict[int, _Open] = {}
        self._frames = FrameLimit()
        # Metadata may be anything but ASCII on engine 20.10, so it is decoded here.
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
                SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS,
                SettingCodes.MAX_HEADER_LIST_SIZE: self._h2.DEFAULT_MAX_HEADER_LIST_SIZE,
            },
        )

    def start(self) -> bytes:
        """Return the first bytes to send."""
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW)
        return self._h2.data_to_send()

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the engine and return those to send. Raises BrokenSessionError."""
        try:
            events = self._h2.receive_data(data)
            self._frames.take(len(data), events)
            for event in events:
                self._handle(event)
            for stream in list(self._open):
                self._pump(stream)
        except H2Error as fault:
            raise BrokenSessionError(f"HTTP/2: {type(fault).__name__}") from fault
        if sum(one.unframed.held + len(one.leaving) for one in self._open.values()) > MOST_HELD:
            raise BrokenSessionError(f"more than {MOST_HELD} bytes would have to be held")
        return self._h2.data_to_send()

    def cut(self) -> None:
        """Tell the calls under way that the connection has ended."""
        for one in self._open.values():
            if one.call and one.code is None:
                one.call.cut()
        self._open.clear()

    def _handle(self, event: object) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event)
        elif isinstance(event, DataReceived):
            self._data(event)
        elif isinstance(event, StreamEnded):
            self._end(event.stream_id)
        elif isinstance(event, StreamReset):
            gone = self._open.pop(event.stream_id, None)
            if gone and gone.call and gone.code is None:
                gone.call.cut()
        elif isinstance(event, ConnectionTerminated):
            self.ended = True

    def _begin(self, event: RequestReceived) -> None:
        metadata = {
            bytes(name).decode("latin-1"): bytes(value[:_LONGEST_HEADER]).decode("utf-8", "replace")
            for name, value in event.headers
        }
        method = self._methods.get(metadata.get(":path", ""))
        one = self._open[event.stream_id] = _Open(None)
        if method is None:
            self._refuse(one, RefusedCallError(UNIMPLEMENTED, "this client has no such method"))
            return
        try:
            one.call = method(metadata)
        except RefusedCallError as refusal:
            self._refuse(one, refusal)

    def _data(self, event: DataReceived) -> None:
        one = self._open.get(event.stream_id)
        if one and one.call and one.code is None:
            try:
                for message in one.unframed.feed(event.data):
                    one.leaving += b"".join(map(framed, one.call.take(message)))
            except RefusedCallError as refusal:
                self._refuse(one, refusal)
        if event.flow_controlled_length:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def _end(self, stream: int) -> None:
        one = self._open.get(stream)
        if one is None:
            return
        one.heard_all = True
        if one.call is None or one.code is not None:
            return
        if one.unframed.held:
            self._refuse(one, RefusedCallError(INTERNAL, "the last message is cut"))
            return
        try:
            one.leaving += b"".join(map(framed, one.call.end()))
            if not isinstance(one.call, Answers):
                one.code = OK
        except RefusedCallError as refusal:
            self._refuse(one, refusal)

    @staticmethod
    def _refuse(one: _Open, refusal: RefusedCallError) -> None:
        if one.call and one.code is None:
            one.call.cut()
        one.leaving.clear()
        one.code, one.text = refusal.code or UNKNOWN, refusal.text

    @staticmethod
    def _refilled(one: _Open) -> bool:
        """Fetch the next answer of a call that has a row of them; whether there is one."""
        if not isinstance(one.call, Answers) or one.code is not None:
            return False
        answer = next(one.call.answers, None)
        if answer is None:
            one.code = OK
            return False
        one.leaving += framed(answer)
        return True

    def _pump(self, stream: int) -> None:
        """Send what the engine's window takes, and the outcome behind it."""
        one = self._open[stream]
        while one.leaving or self._refilled(one):
            if not one.began:
                self._h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
                one.began = True
            room = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            if room <= 0:
                return
            self._h2.send_data(stream, bytes(one.leaving[:room]))
            self._frames.moved()
            del one.leaving[:room]
        if one.code is None:
            return
        outcome = [("grpc-status", str(one.code)), ("grpc-message", quote(one.text, safe=" "))]
        head = [] if one.began else [(":status", "200"), ("content-type", "application/grpc")]
        self._h2.send_headers(stream, [*head, *outcome], end_stream=True)
        if not one.heard_all:  # the engine may stop sending
            self._h2.reset_stream(stream, ErrorCodes.NO_ERROR)
        del self._open[stream]
