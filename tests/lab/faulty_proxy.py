"""A TCP port that passes everything on to a server until it is told to misbehave."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.lab.netns import listen_inside
from tests.lab.ports import HeldPort

PIECE = 65536
ONE_SECOND = 1.0
REQUEST = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE) [^\r\n]*")


@dataclass(frozen=True, eq=False)
class Limit:
    """Cut a connection after so many more bytes: with a reset, `clean` as if its end had come, or `silent` for ever.

    It counts from the request (not under TLS) whose first line holds `asked`.
    """

    size: int
    clean: bool = False
    silent: bool = False
    once: bool = False
    asked: bytes = b""


@dataclass
class Direction:
    """How bytes move one way: `requests` towards the server, `answers` back to the client."""

    delay: float = 0.0
    piece: int = PIECE
    pause: float = 0.0  # after each piece
    ends: bool = True  # whether the end of a connection is passed on
    moving: threading.Event = field(default_factory=threading.Event)
    limit: Limit | None = None
    passed: int = 0

    def freeze(self) -> None:
        """No byte moves on; connections stay open."""
        self.moving.clear()

    def thaw(self) -> None:
        self.moving.set()

    def cut_after(
        self, size: int, *, clean: bool = False, silent: bool = False, once: bool = False, asked: bytes = b""
    ) -> None:
        """Each connection (with `once`: the first to get there) is cut after `size` more bytes, see Limit."""
        self.limit = Limit(size, clean, silent, once, asked)

    def heal(self) -> None:
        """Bytes move as they should again."""
        self.limit, self.delay, self.piece, self.pause, self.ends = None, 0.0, PIECE, 0.0, True
        self.thaw()


class FaultyProxy:
    """The misbehaving port: `host`, `port`; `target` is (host, port) or the path of a unix socket.

    With a `namespace` the port is on the loopback in there, and `target` still out here.
    """

    host = "127.0.0.1"

    def __init__(self, target: tuple[str, int] | str, *, namespace: str = "") -> None:
        self.target = target
        self._namespace = namespace
        self.requests, self.answers = Direction(), Direction()
        self.accepted = 0
        self._pairs: set[Pair] = set()
        self._guard = threading.Lock()
        self._door: socket.socket | None = None
        self._port = HeldPort(namespace)
        self.port = self._port.number
        self.thaw()
        self.accept()

    def accept(self) -> None:
        """Take connections (again), always on the same port."""
        if self._door is None:
            self._door = listen_inside(self._namespace, self.port)
            threading.Thread(target=self._serve, args=(self._door,), daemon=True).start()

    def refuse(self) -> None:
        """New connections are refused, open ones are reset."""
        if self._door is not None:
            with contextlib.suppress(OSError):
                self._door.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
            self._door.close()
            self._door = None
        self.reset()

    def reset(self) -> None:
        """Every open connection ends with a reset, on both sides."""
        for pair in self._taken():
            pair.end(clean=False)

    def end(self) -> None:
        """Every open connection ends as if both sides had said goodbye."""
        for pair in self._taken():
            pair.end(clean=True)

    def freeze(self) -> None:
        """Connects succeed, nothing moves in either direction."""
        self.requests.freeze()
        self.answers.freeze()

    def thaw(self) -> None:
        self.requests.thaw()
        self.answers.thaw()

    def heal(self) -> None:
        """All faults are over."""
        self.requests.heal()
        self.answers.heal()
        self.accept()

    @property
    def open(self) -> int:
        """How many connections are open."""
        with self._guard:
            return len(self._pairs)

    def close(self) -> None:
        self.refuse()
        self.thaw()
        self._port.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _taken(self) -> set[Pair]:
        with self._guard:
            pairs, self._pairs = self._pairs, set()
        return pairs

    def _serve(self, door: socket.socket) -> None:
        while True:
            try:
                near = door.accept()[0]
            except OSError:
                return  # refuse() was called
            self.accepted += 1
            try:
                far = self._reach()
            except OSError:
                _close(near, clean=False)
                continue
            pair = Pair(self, near, far)
            with self._guard:
                self._pairs.add(pair)
            pair.start()
            if door is not self._door:  # refused meanwhile
                pair.end(clean=False)

    def _reach(self) -> socket.socket:
        if isinstance(self.target, str):
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(self.target)
            except OSError:
                far.close()
                raise
            return far
        return socket.create_connection(self.target)

    def forget(self, pair: Pair) -> None:
        with self._guard:
            self._pairs.discard(pair)


class Pair:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(self, cut: FaultyProxy, near: socket.socket, far: socket.socket) -> None:
        self.cut, self.near, self.far = cut, near, far
        self.ended = threading.Event()
        self.request = b""
        self._pumping = 2

    def start(self) -> None:
        for source, target, direction in (
            (self.near, self.far, self.cut.requests),
            (self.far, self.near, self.cut.answers),
        ):
            threading.Thread(target=self._pump, args=(source, target, direction), daemon=True).start()

    def end(self, *, clean: bool) -> None:
        self.ended.set()
        _close(self.near, clean=clean)
        _close(self.far, clean=clean)
        self.cut.forget(self)

    def _pump(self, source: socket.socket, target: socket.socket, direction: Direction) -> None:
        seen: Limit | None = None
        left = 0
        with contextlib.suppress(OSError):
            while data := self._received(source):
                self._note(data, direction)
                self._wait(direction)
                if (limit := self._limit(direction)) is not seen:
                    seen = limit
                    left = seen.size if seen else 0
                part = data[:left] if seen else data
                direction.passed += len(part)  # before: whoever has received them finds them counted
                for start in range(0, len(part), direction.piece):
                    target.sendall(part[start : start + direction.piece])
                    if direction.pause:
                        self.ended.wait(direction.pause)
                left -= len(part)
                if seen and left <= 0:
                    self._fail(seen, direction)
                    return
            self._wait(direction)
            if not direction.ends:
                self.ended.wait()
            target.shutdown(socket.SHUT_WR)  # the end of one direction is passed on as such
        self._one_done()

    def _received(self, source: socket.socket) -> bytes:
        """What one side says; its reset is one for the other side, too."""
        try:
            return source.recv(PIECE)
        except OSError:
            if not self.ended.is_set():
                self.end(clean=False)
            raise

    def _note(self, data: bytes, direction: Direction) -> None:
        if direction is self.cut.requests and (line := REQUEST.match(data)):
            self.request = line[0]

    def _limit(self, direction: Direction) -> Limit | None:
        limit = direction.limit
        return limit if limit and limit.asked in self.request else None

    def _fail(self, limit: Limit, direction: Direction) -> None:
        if limit.once and direction.limit is limit:
            direction.limit = None
        if limit.silent:
            self.ended.wait()
        else:
            self.end(clean=limit.clean)

    def _wait(self, direction: Direction) -> None:
        """Return when bytes may move; OSError when the connection has ended, so that what was held is not passed on."""
        while not self.ended.is_set() and not direction.moving.wait(ONE_SECOND):
            pass
        if direction.delay:
            self.ended.wait(direction.delay)
        if self.ended.is_set():
            raise ConnectionAbortedError

    def _one_done(self) -> None:
        with self.cut._guard:
            self._pumping -= 1
            done = self._pumping == 0
        if done:
            self.end(clean=True)


def _close(end: socket.socket, *, clean: bool) -> None:
    with contextlib.suppress(OSError):
        if clean:
            end.shutdown(socket.SHUT_RDWR)
        else:
            # lingering for no time makes close() a reset; the shutdown wakes a thread that reads
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.shutdown(socket.SHUT_RD)
    end.close()
