"""A proxy that reads AMQP frames, so that a fault can happen between two particular ones."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

HEADER = struct.Struct(">BHI")
GREETING = 8
METHOD_FRAME = 1


class Frame(Enum):
    """A method that the proxy can stop at: class, method, and whether the broker sends it."""

    DELIVER = (60, 60, True)
    CONFIRM = (60, 80, True)
    NACK = (60, 120, True)
    PUBLISH = (60, 40, False)
    ACK = (60, 80, False)
    REJECT = (60, 90, False)


@dataclass
class Stop:
    """What the proxy waits for: `reached` is set when it came; nothing after it moves until `cut` or `release`."""

    frame: Frame
    let_through: bool
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


class FrameProxy:
    """Passes AMQP on; `stop_at` makes it hold a direction of one connection at the first frame of a kind."""

    def __init__(self, port: int) -> None:
        self._broker = port
        self._stop: Stop | None = None
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def stop_at(self, frame: Frame, *, let_through: bool = False) -> Stop:
        """Hold at the next frame of a kind, the frame too, or only what follows it (`let_through`)."""
        self._stop = Stop(frame, let_through)
        return self._stop

    def cut(self) -> None:
        """Every connection ends; what was held is lost."""
        with self._guard:
            ends, self._open = self._open, set()
        for end in ends:
            _end(end)
        if self._stop is not None:
            self._stop.released.set()
            self._stop = None

    def release(self) -> None:
        """What was held moves on."""
        if self._stop is not None:
            self._stop.released.set()
            self._stop = None

    def close(self) -> None:
        _end(self._door)
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = self._door.accept()[0]
                try:
                    far = socket.create_connection(("127.0.0.1", self._broker))
                except OSError:
                    _end(near)
                    continue
                for end in (near, far):  # frames are small, and each goes on by itself
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._guard:
                    self._open |= {near, far}
                for source, target, answers in ((near, far, False), (far, near, True)):
                    threading.Thread(target=self._pump, args=(source, target, answers), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        """Pass whole frames on, one by one."""
        with contextlib.suppress(OSError, ValueError), source.makefile("rb") as stream:
            if not answers:
                target.sendall(stream.read(GREETING))
            while head := stream.read(HEADER.size):
                kind, _, size = HEADER.unpack(head)
                payload = stream.read(size + 1)
                frame = head + payload
                stop = self._stop
                if stop is not None and kind == METHOD_FRAME and _is(payload, stop.frame, answers):
                    if stop.let_through:
                        target.sendall(frame)
                        frame = b""
                    stop.reached.set()
                    stop.released.wait()
                target.sendall(frame)
        with self._guard:
            self._open -= {source, target}
        _end(source)
        _end(target)


def _is(payload: bytes, frame: Frame, answers: bool) -> bool:
    wanted_class, wanted_method, by_broker = frame.value
    return answers == by_broker and struct.unpack_from(">HH", payload) == (wanted_class, wanted_method)


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
