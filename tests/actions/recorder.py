"""An engine that writes down what it is asked, on a real socket, and answers with whatever lets a handler go on."""

from __future__ import annotations

import base64
import hashlib
import json
import socketserver
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from requests.structures import CaseInsensitiveDict

from lib.engine.answer.pathstat import HEADER

# Enough of every object that a handler looks into.
OBJECT: dict[str, Any] = {
    "StatusCode": 0,
    "Config": {"Tty": False, "OpenStdin": True, "StdinOnce": True},
    "State": {"Running": False, "ExitCode": 0},
    "OpenStdin": True,
    "ProcessConfig": {"tty": False},
    "Running": False,
    "Version": {"Index": 7},
    "ID": "found",
    "Spec": {"TaskTemplate": {"ContainerSpec": {}}, "Kept": True},
    "ClusterVolume": {"ID": "found", "Version": {"Index": 7}, "Spec": {"Kept": True}},
    "ApiVersion": "1.56",
    "MinAPIVersion": "1.24",
}
STAT = {"name": "a", "size": 1, "mode": 420, "mtime": "2026-01-01T00:00:00Z", "linkTarget": ""}
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True)
class Asked:
    """One request as it came: the path without version and query, the query in order."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes


class Recorder:
    """`url` is its address; `asked` what was asked but for SystemPing."""

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{folder}/engine.sock"
        self.asked: list[Asked] = []
        self._server = _Server(str(folder / "engine.sock"), _Handler)
        self._server.asked = self.asked
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    asked: list[Asked]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that closes a stream before its end is no fault."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        if path.endswith("/_ping") and not path.startswith("/v"):
            self._send(200, b"" if self.command == "HEAD" else b"OK", {"Api-Version": "1.56"})
            return
        version, _, rest = path.removeprefix("/").partition("/")
        assert version == "v1.56"
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        self.server.asked.append(
            Asked(self.command, f"/{rest}", pairs, CaseInsensitiveDict(self.headers.items()), body)
        )
        if self.headers.get("Upgrade"):
            self._upgrade()
        elif self.command == "HEAD":
            stat = base64.b64encode(json.dumps(STAT).encode()).decode()
            self._send(200, b"", {HEADER: stat, "Api-Version": "1.56"})
        else:
            self._send(200, json.dumps(OBJECT).encode(), {"Content-Type": "application/json"})

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815 - as http.server calls them

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _upgrade(self) -> None:
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        if key := self.headers.get("Sec-WebSocket-Key"):
            digest = hashlib.sha1((key + MAGIC).encode()).digest()
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.end_headers()
        self.close_connection = True

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests have enough to say."""
