"""Servers that never end what they begin: the cases of bench.bounds."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
OK = b"HTTP/1.1 200 OK\r\n"
PING = OK + b"Api-Version: 1.41\r\nContent-Length: 2\r\n\r\n"
JSON = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
RAW = b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
FRAMED = b"Content-Type: application/vnd.docker.multiplexed-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BLOCK = b"x" * 65_536

Answer = Callable[[bytes], Iterable[bytes]]
"""What a server sends to a request head."""


def whole(body: bytes) -> bytes:
    """An answer that ends."""
    return OK + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces as chunks, sent some at a time."""
    for several in itertools.batched(pieces, 64) if hasattr(itertools, "batched") else _batched(pieces):
        yield b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in several)


def _batched(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    iterator = iter(pieces)
    while several := list(itertools.islice(iterator, 64)):
        yield several


def endless(first: bytes, again: bytes = BLOCK) -> Iterator[bytes]:
    """One beginning and the same piece for ever."""
    yield first
    yield from itertools.repeat(again)


def lines(make: Callable[[int], Any]) -> Iterator[bytes]:
    """JSON lines, each another one."""
    return (json.dumps(make(number)).encode() + b"\n" for number in itertools.count())


def streamed(pieces: Callable[[], Iterable[bytes]], head: bytes = OK + JSON) -> Answer:
    """A chunked answer of these pieces."""
    return lambda _: itertools.chain([head], chunks(pieces()))


def plainly(pieces: Callable[[], Iterable[bytes]]) -> Answer:
    """These bytes and nothing around them."""
    return lambda _: pieces()


def websocket(head: bytes) -> Iterator[bytes]:
    """A handshake, and a frame that claims a terabyte."""
    key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
    accept = base64.b64encode(hashlib.sha1(key.split(b":", 1)[1].strip() + MAGIC).digest())
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    yield switched + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    yield from endless(b"\x82\x7f" + (1 << 40).to_bytes(8))


def frame(payload: bytes, stream: int = 1) -> bytes:
    """A frame of a multiplexed stream."""
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4) + payload


CONTAINER = whole(
    b'{"Config":{"Tty":false,"OpenStdin":true,"StdinOnce":true},'
    b'"State":{"Running":true,"Status":"running","ExitCode":0}}'
)
EXEC = whole(b'{"ProcessConfig":{"tty":false},"Running":false,"OpenStdin":true,"ExitCode":0}')
WIDE = {"maxItems": "100000000", "maxBytes": "100000000000", "maxSeconds": "30"}
"""Limits of a step that stop nothing here: what is left are the program's own."""


@dataclass(frozen=True)
class Case:
    """One message, what the server answers to its last request, and what it may end in."""

    name: str
    key: str
    fields: Callable[[], dict[str, Any]]
    answer: Answer = field(default=lambda _: [])
    look: bytes = CONTAINER
    """What the server answers to requests for JSON before that."""
    ends: tuple[str, ...] = ("EngineFault", "NoAnswer", "StreamFailed", "LimitReached")
    settings: dict[str, str] = field(default_factory=dict)


def whole_list(size: int, item: bytes) -> Answer:
    """A list that ends, of values that need far more memory than their text."""
    return lambda _: [whole(b"[" + b",".join([item] * (size // (len(item) + 1))) + b"]")]


def _id() -> dict[str, Any]:
    return {"id": "x"}


CASES = (
    Case("JSON body", "ContainerTop", _id, streamed(lambda: endless(b'{"a":"'))),
    Case("JSON body of values", "ContainerTop", _id, streamed(lambda: endless(b"[{}", b",{}" * 20_000))),
    Case(
        "body of a long length",
        "ContainerTop",
        _id,
        plainly(lambda: endless(OK + b"Content-Length: 1099511627776\r\n\r\n{")),
    ),
    Case("body up to the end", "ContainerTop", _id, plainly(lambda: endless(OK + b"\r\n{"))),
    Case("list of 7 MB", "ContainerTop", _id, whole_list(7 << 20, b"{}"), ends=("a message",)),
    Case("list of 30 MB", "ContainerTop", _id, whole_list(30 << 20, b"{}")),
    Case("answer to look into", "ExecStart", _id, look=whole(b"[" + b'{"a":{}},' * 3_000_000 + b"0]")),
    Case(
        "error body",
        "ContainerTop",
        _id,
        streamed(lambda: endless(b'{"message":"'), b"HTTP/1.1 500 Internal Server Error\r\n" + JSON),
    ),
    Case("JSON line", "SystemEvents", dict, streamed(lambda: endless(b'{"a":"')), settings=WIDE),
    Case(
        "JSON lines",
        "SystemEvents",
        dict,
        streamed(lambda: lines(lambda n: {"n": n})),
        settings=WIDE,
        ends=("a message",),
    ),
    Case(
        "JSON lines of values",
        "SystemEvents",
        dict,
        streamed(lambda: itertools.repeat(b'{"a":[{}' + b",{}" * 300_000 + b"]}\n")),
        settings=WIDE,
        ends=("a message",),
    ),
    Case("websocket frame of 1 TB", "ContainerAttachWebsocket", _id, websocket),
    Case(
        "layers",
        "ImageCreate",
        lambda: {"fromImage": "x"},
        streamed(lambda: lines(lambda n: {"status": "Downloading", "id": f"{n:012x}"})),
    ),
    Case(
        "ids of progress",
        "ImageCreate",
        lambda: {"fromImage": "x"},
        streamed(lambda: lines(lambda n: {"aux": {"ID": f"sha256:{n:064x}"}})),
    ),
    Case(
        "long lines of progress",
        "ImageCreate",
        lambda: {"fromImage": "x"},
        streamed(lambda: lines(lambda n: {"stream": f"{n} " + "x" * 1_000_000})),
        settings={"maxSeconds": "10"},
    ),
    Case(
        "unknown keys",
        "ContainerTop",
        lambda: {f"k{number}": 1 for number in range(300_000)},
        ends=("BadInput",),
    ),
    Case(
        "unknown keys below",
        "ContainerCreate",
        lambda: {"requestBody": {"Image": "x", **{f"k{number}": 1 for number in range(300_000)}}},
        ends=("BadInput",),
    ),
    Case("head of one line", "ContainerTop", _id, plainly(lambda: endless(OK + b"X: "))),
    Case("head of many lines", "ContainerTop", _id, plainly(lambda: endless(OK, b"X: y\r\n" * 10_000))),
    Case("reason", "ContainerTop", _id, plainly(lambda: endless(b"HTTP/1.1 200 "))),
    Case(
        "interim answers",
        "ContainerTop",
        _id,
        plainly(lambda: itertools.repeat(b"HTTP/1.1 102 Processing\r\n\r\n" * 2_000)),
    ),
    Case("chunk extension", "ContainerTop", _id, plainly(lambda: endless(OK + JSON + b"5;"))),
    Case(
        "trailers",
        "ContainerTop",
        _id,
        plainly(lambda: endless(OK + JSON + b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 10_000)),
    ),
    Case(
        "head of an upgrade",
        "ExecStart",
        _id,
        plainly(lambda: endless(b"HTTP/1.1 101 UPGRADED\r\nX: ")),
        look=EXEC,
        ends=("OutcomeUnknown", "StreamFailed", "EngineFault"),
    ),
    Case(
        "frame of 4 GB",
        "ExecStart",
        _id,
        plainly(lambda: endless(b"HTTP/1.1 101 UPGRADED\r\n" + RAW + b"\1\0\0\0\xff\xff\xff\xff")),
        look=EXEC,
    ),
    Case(
        "frames of one byte",
        "ExecStart",
        _id,
        plainly(
            lambda: endless(b"HTTP/1.1 101 UPGRADED\r\n" + RAW, (frame(b"\0") + frame(b"\0", 2)) * 4_000)
        ),
        look=EXEC,
        settings={"maxBytes": WIDE["maxBytes"]},
        ends=("a message",),
    ),
    Case(
        "line of a log",
        "ContainerLogs",
        _id,
        streamed(lambda: itertools.repeat(frame(bytes(32_768))), OK + FRAMED),
        settings=WIDE,
        ends=("a message",),
    ),
    Case(
        "short lines of a log",
        "ContainerLogs",
        _id,
        streamed(lambda: itertools.repeat(frame(b"\n" * 30_000)), OK + FRAMED),
        settings=WIDE,
        ends=("a message",),
    ),
)


@contextmanager
def served(case: Case, folder: Path) -> Iterator[str]:
    """Serve a case on a unix socket; yields its address."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(folder / "engine.sock"))
    door.listen()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=_serve, args=(door.accept()[0], case), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"unix://{folder}/engine.sock"
    finally:
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)
        door.close()


def _serve(peer: socket.socket, case: Case) -> None:
    with peer, suppress(OSError):
        while head := _head(peer):
            if b"/_ping " in head.split(b"\r\n")[0]:
                peer.sendall(PING if head.startswith(b"HEAD") else PING + b"OK")
            elif b"/json " in head.split(b"\r\n")[0]:
                peer.sendall(case.look)
            else:
                for piece in case.answer(head):
                    peer.sendall(piece)


def _head(peer: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := peer.recv(65_536)):
            return b""
        data += piece
    return data
