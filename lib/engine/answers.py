"""Answers without what an engine does not need: no mail parser for eight headers, no cookie jar, no redirects."""

from __future__ import annotations

from http.client import HTTPException, HTTPResponse
from typing import Any, BinaryIO

from requests import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict

from lib.engine.httphead import Malformed, parse_head

_CONTINUE = 100
_NO_BODY = (204, 304)
_LONGEST = 65536


class Answer(HTTPResponse):
    """An http.client answer whose head is parsed by `httphead`: half of the CPU of a small call otherwise."""

    # http.client reads them by `get`, nothing else of ours does.
    headers: CaseInsensitiveDict[str]  # type: ignore[assignment]
    _method: str

    def begin(self) -> None:
        """Read the head, decide how the body ends (RFC 9112, 6.3); raises HTTPException for what is no HTTP."""
        try:
            head = parse_head(_head(self.fp))
            while head.status == _CONTINUE:
                head = parse_head(_head(self.fp))
        except Malformed as fault:
            raise HTTPException(str(fault)) from fault
        headers = head.headers
        self.code = self.status = head.status
        self.reason = head.reason
        self.headers = self.msg = headers  # type: ignore[assignment]
        self.version = 10 if head.version == "HTTP/1.0" else 11
        self.chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.length = None if self.chunked else _length(headers.get("Content-Length", ""))
        if head.status in _NO_BODY or head.status < 200 or self._method == "HEAD":  # noqa: PLR2004
            self.length = 0
        connection = headers.get("Connection", "").lower()
        keeps = "keep-alive" in connection if self.version == 10 else "close" not in connection  # noqa: PLR2004
        self.will_close = not keeps or (self.length is None and not self.chunked)


def _head(stream: BinaryIO) -> bytes:
    """Read up to the blank line; `stream` is buffered, so lines cost no system call."""
    lines: list[bytes] = []
    size = 0
    while (line := stream.readline(_LONGEST + 1)) not in (b"\r\n", b"\n"):
        if not line.endswith(b"\n"):
            raise Malformed(
                "the connection ended before an answer" if not lines and not line else "the head was cut"
            )
        size += len(line)
        if size > _LONGEST:
            raise Malformed("the head of the answer does not end")
        lines.append(line)
    return b"".join(lines).rstrip(b"\r\n")


def _length(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


class EngineResponse(Response):
    """A requests answer made of one by http.client; whole answers have been read, streams are read from `raw`."""

    def __init__(self, answer: Answer, request: PreparedRequest, raw: Any) -> None:
        # Not the parent's: a cookie jar costs as much as all the rest of an answer.
        self.status_code = answer.status
        self.reason = answer.reason
        self.headers = answer.headers
        self.request = request
        self.url = request.url or ""
        self.raw = raw
        self.encoding = None
        self.history = []
        self._content = False  # type: ignore[assignment] # the parent's sign for "not read yet"
        self._content_consumed = False
