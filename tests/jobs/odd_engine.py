"""A server on a unix socket that answers reads with what a test wants, by path, and counts those that are no reads."""

from __future__ import annotations

import json
import re
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self

Said = tuple[int, Any]
_VERSION = re.compile(r"^/v[\d.]+(?=/)")


class OddEngine:
    """`says` returns status and body (JSON, or bytes as they are) for a path; `ahead` are the seconds of its clock."""

    def __init__(self, folder: Path, says: Callable[[str], Said], *, ahead: float | None = 0.0) -> None:
        folder.mkdir(exist_ok=True)
        self.url = f"unix://{folder}/engine.sock"
        self.says, self.ahead = says, ahead
        self.asked: list[str] = []
        self.writes: list[str] = []
        self._server = _Server(f"{folder}/engine.sock", _Handler)
        self._server.odd = self
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    odd: OddEngine

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # who has read enough goes
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(time.time() + (self.server.odd.ahead or 0), usegmt=True)

    def send_header(self, keyword: str, value: str) -> None:
        if keyword != "Date" or self.server.odd.ahead is not None:
            super().send_header(keyword, value)

    def do_GET(self) -> None:
        path = _VERSION.sub("", self.path).partition("?")[0]
        self.server.odd.asked.append(path)
        status, body = (200, b"OK") if path == "/_ping" else self.server.odd.says(path)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.server.odd.writes.append(f"{self.command} {self.path}")
        self.send_error(500)

    def do_PUT(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()
