"""An engine that opens a session and asks in it: a real server on a socket, with HTTP/2 as its client."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from queue import Queue
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.settings import SettingCodes, Settings

from lib.engine.protobuf import message

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
HEALTH = "/grpc.health.v1.Health/Check"
SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret"
LOGIN = "/moby.filesync.v1.Auth/Credentials"


@dataclass
class Answered:
    """What came of one call: its code, text and messages; `cut` if the stream was reset before an outcome."""

    code: int | None = None
    text: str = ""
    data: bytes = b""
    cut: bool = False

    @property
    def messages(self) -> list[bytes]:
        found, rest = [], self.data
        while rest:
            size = int.from_bytes(rest[1:5], "big")
            found.append(rest[5 : 5 + size])
            rest = rest[5 + size :]
        return found


@dataclass
class Asking:
    """The engine's side of a session, on a connected socket."""

    peer: socket.socket
    answers: dict[int, Answered] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.windows = True  # whether what arrives is acknowledged
        self.closed = False

    def preface(self, **settings: int) -> bytes:
        values = {SettingCodes[name]: value for name, value in settings.items()}
        self.h2.local_settings = Settings(client=True, initial_values=values)
        self.h2.initiate_connection()
        return self.h2.data_to_send()

    def flush(self) -> None:
        self.peer.sendall(self.h2.data_to_send())

    def call(self, path: str, *, end: bool = False, **metadata: str) -> int:
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost")]
        more = [(name.replace("_", "-"), value) for name, value in metadata.items()]
        self.h2.send_headers(
            stream, [*head, ("content-type", "application/grpc"), ("te", "trailers"), *more], end
        )
        self.answers[stream] = Answered()
        self.flush()
        return stream

    def send(self, stream: int, *messages: bytes, end: bool = False) -> None:
        """Send messages in frames as small as the windows make them."""
        data = b"".join(b"\0" + len(one).to_bytes(4, "big") + one for one in messages)
        self.raw(stream, data, end=end)

    def raw(self, stream: int, data: bytes, *, end: bool = False, size: int = 16_384) -> None:
        view = data
        while view:
            room = min(self.h2.local_flow_control_window(stream), size)
            if room <= 0:
                self.hear()
                continue
            self.h2.send_data(stream, view[:room])
            self.flush()
            view = view[room:]
        if end:
            self.h2.end_stream(stream)
            self.flush()

    def hear(self) -> None:
        """Take in what is there; wait for it."""
        data = self.peer.recv(65_536)
        if not data:
            raise ConnectionError("the client ended the session")
        for event in self.h2.receive_data(data):
            self._take(event)
        self.flush()

    def _take(self, event: Any) -> None:
        if isinstance(event, ResponseReceived | TrailersReceived):
            headers = dict(event.headers)
            one = self.answers[event.stream_id]
            if "grpc-status" in headers:
                one.code, one.text = int(headers["grpc-status"]), headers.get("grpc-message", "")
        elif isinstance(event, DataReceived):
            self.answers[event.stream_id].data += event.data
            if self.windows:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            self.over.add(event.stream_id)
        elif isinstance(event, StreamReset):
            self.answers[event.stream_id].cut = self.answers[event.stream_id].code is None
            self.over.add(event.stream_id)
        elif isinstance(event, ConnectionTerminated):
            self.closed = True

    def answer(self, stream: int) -> Answered:
        while stream not in self.over:
            self.hear()
        return self.answers[stream]

    def ask(self, path: str, request: bytes = b"", **metadata: str) -> Answered:
        stream = self.call(path, **metadata)
        self.send(stream, request, end=True)
        return self.answer(stream)

    def secret(self, name: str) -> Answered:
        return self.ask(SECRET, message((1, name)))

    def login(self, host: str) -> Answered:
        return self.ask(LOGIN, message((1, host)))


def session(script: Callable[[Asking], Any], told: Queue[Any], *, pieces: int = 0, **settings: int) -> Any:
    """An act: opens the session and asks as `script` says; what it returns, or raises, is put into `told`.

    The engine's first bytes follow the head in the same packet, or in `pieces` of so many bytes.
    """

    def act(peer: socket.socket) -> None:
        asking = Asking(peer)
        begin = HEAD + asking.preface(**settings)
        for piece in _cut(begin, pieces or len(begin)):
            peer.sendall(piece)
        try:
            told.put(script(asking))
        except Exception as problem:
            told.put(problem)
            raise OSError(str(problem)) from problem

    return act


def _cut(data: bytes, size: int) -> Iterable[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))
