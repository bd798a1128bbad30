"""Reads every kind of answer (whole, stream, upgrade, websocket handshake) with httptools.

Its parser, llhttp, reads heads and bodies and refuses what is not HTTP: two lengths, lengths and chunk sizes that are
not numbers, statuses that do not have three digits. The reader adds these rules:

- Interim answers (100, 102, 103) are skipped. 101 is an answer if the request asked for it. Any other status below 200
  is refused.
- An answer to HEAD, a 204 and a 304 have no body, whatever their heads announce. An announced body may still arrive,
  so the connection is not used again.
- Without a length the body ends with the connection. Any other end of the connection is a cut.
- At most HEAD_BYTES may come without a byte of body.

The reader knows no sockets and no time: `feed` takes bytes, `end` the end of the connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from lib.engine.http.bounds import HEAD_BYTES

_SWITCHED = 101
_INTERIM = (100, 102, 103)
_FINAL = range(200, 600)
_BODILESS = (204, 304)
_BLANK_LINE = b"\r\n\r\n"


class Malformed(Exception):
    """The bytes are not an HTTP answer, or end too early."""


class NoHttp(Malformed):
    """The parser refused the bytes: they are not HTTP."""


class Reader:
    """One answer. `status` is 0 until its head is whole; `complete` says that all of it is.

    `compressed` says that the body has an encoding, though no request asks for one.

    `reusable` says that the connection can take the next request: the answer was read to its end, nothing follows it,
    and the engine keeps the connection open. After a 101, `rest` holds the bytes behind the head.
    """

    __slots__ = (
        "_asked",
        "_bare",
        "_broken",
        "_framed",
        "_keeps",
        "_parser",
        "_pieces",
        "_raw",
        "_reason",
        "_surplus",
        "_upgrade",
        "complete",
        "compressed",
        "fields",
        "on_header",
        "rest",
        "status",
    )

    def __init__(self, method: str, *, upgrade: bool = False) -> None:
        """`method` is the request's; `upgrade` says that it asked for another protocol."""
        self.status = 0
        self.fields: Mapping[bytes, bytes] = {}
        self.complete = self.compressed = False
        self.rest = b""
        self._asked = method
        self._upgrade = upgrade
        # Called for each header; of two with one name the first counts. Trailers come, too, but are not used.
        self._raw: dict[bytes, bytes] = {}
        self.on_header = self._raw.setdefault
        self._reason = b""
        self._pieces: list[bytes] = []
        self._bare = 0
        self._broken: Malformed | None = None
        self._framed = self._keeps = self._surplus = False
        self._parser: Any = HttpResponseParser(self)

    @property
    def reason(self) -> str:
        """The reason phrase: the text behind the status."""
        return self._reason.decode("latin-1")

    @property
    def reusable(self) -> bool:
        return self.complete and self._keeps and not self._surplus

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes; raises Malformed. Bytes after the end only make the connection not reusable."""
        if self.complete:
            self._surplus = True
            return
        if self._broken:
            raise self._broken
        self._bare += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as end:
            self.rest = bytes(data[end.args[0] :])
            return
        except HttpParserError as fault:
            if self.complete:
                self._surplus = True
            elif self.status and self.status != _SWITCHED:
                self._broken = _malformed(fault)  # raised by `take`, after the good pieces
                return
            else:
                raise _malformed(fault) from fault
        if self.complete:
            # For HEAD, the parser does not report where the head ends.
            if self._asked == "HEAD" and bytes(data[-4:]) != _BLANK_LINE[-len(data) :]:
                self._surplus = True
            self._parser = None  # it holds our methods: a cycle for the garbage collector
        elif self._bare > HEAD_BYTES:
            raise Malformed(
                f"{HEAD_BYTES} bytes came without an end of the head, or of a chunk's or trailer's line"
            )

    def end(self) -> None:
        """Note the end of the connection; raises Malformed if the answer may not end there."""
        self._keeps = False
        if self.complete or (self.status and not self._framed):
            self.complete = True
            return
        if self.status:
            raise Malformed("the answer was cut")
        raise Malformed("the head was cut" if self._bare else "the connection ended before an answer")

    def take(self) -> list[bytes]:
        """Return the pieces of the body since the last call; raises Malformed after the last good piece."""
        pieces = self._pieces
        if pieces:
            self._pieces = []
        elif self._broken:
            raise self._broken
        return pieces

    # --- callbacks of httptools ---

    def on_message_begin(self) -> None:
        if self.complete:
            self._surplus = True

    def on_status(self, text: bytes) -> None:
        if not self.complete:
            self._reason += text

    def on_headers_complete(self) -> None:
        if self.complete:
            return
        parser = self._parser
        status = parser.get_status_code()
        if status in _INTERIM:
            self._raw.clear()
            self._reason = b""
            return
        if status not in _FINAL and not (status == _SWITCHED and self._upgrade):
            raise Malformed(f"the status {status} is no answer")
        self.fields = fields = self._raw.copy()
        self._keeps = parser.should_keep_alive()
        announced = compressed = False
        for name, value in fields.items():
            lower = name.lower()
            if lower == b"content-length":
                self._framed = True
                announced = bool(value.strip(b"0 \t"))
            elif lower == b"transfer-encoding":
                if value.rstrip(b" ").lower() != b"chunked":
                    raise Malformed(f"the transfer encoding {value[:40]!r} is not known")
                self._framed = announced = True
            elif lower == b"content-encoding":
                compressed = value.strip().lower() not in (b"", b"identity")
        self.status = status
        bare = self._asked == "HEAD" or status in _BODILESS
        self._surplus, self.compressed = announced and bare, compressed and not bare
        if self._asked == "HEAD":
            # Without a length the parser would wait for the end of the connection.
            self._keeps = self._keeps or (not self._framed and self._persistent())
            self.complete = True

    def _persistent(self) -> bool:
        if self._parser.get_http_version() != "1.1":
            return False
        return not any(
            name.lower() == b"connection" and b"close" in value.lower() for name, value in self.fields.items()
        )

    def on_body(self, data: bytes) -> None:
        if self.complete:
            self._surplus = True
            return
        self._bare = 0
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        if self.status and self.status != _SWITCHED:
            self.complete = True


def _malformed(fault: HttpParserError) -> Malformed:
    own = fault.__context__
    return own if isinstance(own, Malformed) else NoHttp(f"the answer is no HTTP ({fault})")
