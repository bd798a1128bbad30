"""Heads and bodies of HTTP/1.1 as pure functions over bytes, for connections that are more than one answer."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from requests import Response
from requests.structures import CaseInsensitiveDict

from lib.engine.errors import BadInput
from lib.engine.refusal import refusal

_LONGEST = 65536
_END = b"\r\n\r\n"


class Malformed(Exception):
    """The bytes are no HTTP answer, or end too early."""


class Lost(Exception):
    """The connection failed after the request, or a part of it, was sent."""


class TooSlow(Lost):
    """A time limit passed after the request was sent."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers of an answer."""

    status: int
    reason: str
    headers: Mapping[str, str]
    version: str = "HTTP/1.1"


def request_head(method: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the head of a request; a line break in a value is a BadInput that names the header."""
    pairs = [("target", target), *headers]
    check_headers(pairs)
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs[1:])]
    return "\r\n".join((*lines, "", "")).encode("utf-8")


def check_headers(headers: Iterable[tuple[str, str]]) -> None:
    """Raise BadInput for a header that would begin another one."""
    for name, value in headers:
        if any(character in name + value for character in "\r\n\0"):
            raise BadInput(f"The header {name!r} must not hold line breaks", field=name)


def read_head(read: Callable[[], bytes]) -> tuple[Head, bytes]:
    """Read up to the end of a head; return it and what came after it. Passes over 100 Continue."""
    data = b""
    while True:
        end = data.find(_END)
        if end >= 0:
            head, data = parse_head(data[:end]), data[end + len(_END) :]
            if head.status != 100:  # noqa: PLR2004
                return head, data
            continue
        if len(data) > _LONGEST:
            raise Malformed("the head of the answer does not end")
        more = read()
        if not more:
            raise Malformed("the connection ended before an answer" if not data else "the head was cut")
        data += more


def parse_head(data: bytes) -> Head:
    """Parse a head without its blank line; raises Malformed."""
    first, *rest = data.decode("latin-1").split("\r\n")
    version, _, line = first.partition(" ")
    status, _, reason = line.partition(" ")
    if not version.startswith("HTTP/1.") or not (status.isascii() and status.isdigit()):
        raise Malformed(f"the answer begins with {first[:40]!r}, which is not HTTP")
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for entry in rest:
        name, _, value = entry.partition(":")
        headers[name.strip()] = value.strip()
    return Head(int(status), reason.strip(), headers, version)


def refused(head: Head, text: bytes, method: str, path: str) -> Exception:
    """Return the error for an answer from 400 up whose body is `text`."""
    response = Response()
    response.status_code, response.reason = head.status, head.reason
    response.headers = CaseInsensitiveDict(head.headers)
    response.raw = io.BytesIO(text)
    return refusal(response, method, path)


def body(head: Head, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the body out of the bytes after the head: chunked, of a length, or to the end of the connection."""
    if head.status in (204, 304):
        return iter(())
    if "chunked" in head.headers.get("Transfer-Encoding", "").lower():
        return _chunked(chunks)
    length = head.headers.get("Content-Length", "")
    if length.isdigit() and head.status != 101:  # noqa: PLR2004
        return _measured(chunks, int(length))
    return (chunk for chunk in chunks if chunk)


def _measured(chunks: Iterable[bytes], left: int) -> Iterator[bytes]:
    if not left:
        return
    for chunk in chunks:
        if chunk:
            yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return
    raise Malformed(f"{left} bytes of the body are missing")


def _chunked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    source = _Bytes(chunks)
    while size := source.size_line():
        while size:
            piece = source.upto(size)
            size -= len(piece)
            yield piece
        source.line()
    while source.line():  # trailers
        pass


class _Bytes:
    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._data = b""

    def _more(self) -> None:
        for chunk in self._chunks:
            if chunk:
                self._data += chunk
                return
        raise Malformed("the body was cut")

    def upto(self, size: int) -> bytes:
        if not self._data:
            self._more()
        piece, self._data = self._data[:size], self._data[size:]
        return piece

    def line(self) -> bytes:
        while (end := self._data.find(b"\n")) < 0:
            if len(self._data) > _LONGEST:
                raise Malformed("a line of the body does not end")
            self._more()
        line, self._data = self._data[:end], self._data[end + 1 :]
        return line.rstrip(b"\r")

    def size_line(self) -> int:
        text = self.line().partition(b";")[0].strip()
        try:
            return int(text, 16)
        except ValueError:
            raise Malformed(f"{text[:20]!r} is no chunk size") from None
