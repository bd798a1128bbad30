"""What a hostile engine or proxy may answer: heads, bodies, chunks, frames, lines, whole or cut anywhere."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import strategies as st

from lib.engine.answer.pathstat import HEADER

_STATUSES = st.sampled_from(
    b"200 OK|200 OK|200 OK|201 Created|204 No Content|101 Switching Protocols|304 Not Modified|307 Moved|400 Bad|401 No"
    b"|403 No|404 Not Found|409 Conflict|418 x|429 Slow|500 Broken|503 Away|000 x|999 x|20 OK|2000".split(
        b"|"
    )
)
_NAMES = """message Id ID status id progressDetail error errorDetail stream aux Spec Version Index State Config Tty
StatusCode Error read cpu_stats Running system_cpu_usage online_cpus memory_stats usage limit ExitCode current time"""
_KEYS = st.sampled_from(_NAMES.split())
_ODD_NUMBERS = st.sampled_from([0, -1, 2**63, 2**64, 10**30, 1e308, -0.0])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | _ODD_NUMBERS
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(_KEYS | st.text(max_size=4), below, max_size=5)
    ),
    max_leaves=12,
)


def _written(value: Any) -> bytes:
    return json.dumps(value).encode()


_ODD_TEXTS = st.sampled_from(
    [
        *(
            b'{"a":' * 3000,
            b"[" * 2000 + b"]" * 2000,
            b"1" * 5000,
            b'{"a":' + b"9" * 5000 + b"}",
            b'{"a":1e999}',
        ),
        *(
            b'"\\ud800"',
            b'{"id":"\\udfff","status":"\\ud800"}',
            b"NaN",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe",
            b"{}{}",
            b"nul",
        ),
        *(
            b'{"time":1e400}',
            b'{"progressDetail":[1]}',
            b'{"errorDetail":7}',
            b'{"error":{"a":1}}',
            b'{"stream":5}',
        ),
    ]
)


@st.composite
def _frames(draw: st.DrawFn) -> bytes:
    """Frames of stdout and stderr, and what looks like some."""
    data = b""
    for kind, size, content in draw(
        st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 3), st.binary(max_size=40)), max_size=5)
    ):
        length = len(content) if size < 3 else 2**31
        data += bytes([kind, 0, 0, max(size, 0) // 3]) + length.to_bytes(4, "big") + content
    return data


@st.composite
def _websocket(draw: st.DrawFn) -> bytes:
    first = draw(st.integers(0, 255))
    content = draw(st.binary(max_size=40))
    return bytes([first, draw(st.sampled_from([len(content), 126, 127, 255]))]) + content


@st.composite
def _log_lines(draw: st.DrawFn) -> bytes:
    times = st.sampled_from(
        [b"2026-01-01T00:00:00.123456789Z", b"9999-99-99T99:99:99Z", b"", b"x", b"0000-00-00T"]
    )
    return b"\n".join(
        draw(times) + b" " + draw(st.binary(max_size=20)) for _ in range(draw(st.integers(0, 3)))
    )


_LINES = st.lists(JSON.map(_written) | _ODD_TEXTS, max_size=5).map(b"\n".join)
_BODIES = (
    JSON.map(_written)
    | _LINES
    | _ODD_TEXTS
    | _frames()
    | _websocket()
    | _log_lines()
    | st.binary(max_size=600)
)
_STAT = JSON.map(_written).map(base64.b64encode) | st.binary(max_size=20)
_HEADERS = st.sampled_from(
    b"""Content-Type: application/json
Content-Type: application/vnd.docker.multiplexed-stream
Content-Type: application/vnd.docker.raw-stream
Content-Type: text/html
Content-Type: \xff\xfe
Content-Encoding: gzip
Content-Length: 3
Content-Length: -5
Transfer-Encoding: gzip
Connection: close
Connection: Upgrade
Upgrade: tcp
Upgrade: websocket
Upgrade: h2c
Sec-WebSocket-Accept: @ACCEPT@
Location: /elsewhere
Retry-After: soon
Retry-After: 9e9
Api-Version: x.y
Api-Version: 1.20
no colon""".splitlines()
) | _STAT.map(lambda value: HEADER.encode() + b": " + value)


@st.composite
def _chunked(draw: st.DrawFn, body: bytes) -> bytes:
    size = draw(st.sampled_from([b"%x" % len(body), b"-5", b"0x_c", b"0_5", b"f" * 20, b"", b"zz"]))
    end = draw(st.sampled_from([b"0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n", b"0\r\n", b""]))
    return size + b"\r\n" + body + b"\r\n" + end


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Bytes of an answer; mostly HTTP with something wrong in it."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    body = draw(_BODIES)
    headers = draw(st.lists(_HEADERS, max_size=3))
    framing = draw(st.integers(0, 3))
    if framing == 1:
        headers.append(b"Content-Length: %d" % len(body))
    elif framing == 2:
        headers.append(b"Transfer-Encoding: chunked")
        body = draw(_chunked(body))
    interim = draw(
        st.sampled_from([b"", b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 x\r\nA: b\r\n\r\n"])
    )
    head = b"HTTP/1.1 " + draw(_STATUSES) + b"\r\n" + b"".join(header + b"\r\n" for header in headers)
    whole = interim + head + b"\r\n" + body
    return whole[: draw(st.integers(0, len(whole)))] if draw(st.integers(0, 4)) == 0 else whole
