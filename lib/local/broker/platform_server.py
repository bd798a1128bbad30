"""Serves the platform's API to steps that run as processes of their own (protocol 2.2, 2.4, 6.6)."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from lib.jsontext import decode, encode
from lib.sailor.message.ids import random_id
from lib.sailor.net.addresses import basic

USER = "local"
_CHUNK = 65_536


@dataclass
class PlatformServer:
    """Serves step data, start-up state and attachments on a free port of the loopback, inside a `with` block.

    `steps` has the step data by step id, `folder` gets the attachments, `key` is the password of the user `local`.
    """

    flow_id: str
    steps: Mapping[str, dict[str, Any]] = field(repr=False)
    folder: Path
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    startup_state: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        platform_server = self

        class Handler(_Handler):
            platform = platform_server

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Handles one request; addresses of attachments cannot be guessed and need no login, as on the platform."""

    protocol_version = "HTTP/1.1"
    platform: PlatformServer

    def do_GET(self) -> None:
        flow = f"/v1/tasks/{self.platform.flow_id}/steps/"
        if (file := self._stored()) is not None:
            self._send_file(file)
        elif not self._known():
            self._answer(401, {"error": "wrong user or key"})
        elif self.path.startswith(flow) and self.path[len(flow) :] in self.platform.steps:
            self._answer(200, self.platform.steps[self.path[len(flow) :]])
        elif self._is_startup():
            self._answer(200, self.platform.startup_state or {})
        else:
            self._answer(404, {"error": f"nothing is known of {self.path}"})

    def do_POST(self) -> None:
        body = self._body()
        if not self._known():
            self._answer(401, {"error": "wrong user or key"})
        elif self._is_startup():
            self.platform.startup_state = decode(body)
            self._answer(201, {})
        elif self.path == "/v2/resources/storage/signed-url":
            url = f"{self.platform.url}/storage/{random_id()}"
            self._answer(200, {"put_url": url, "get_url": url})
        else:
            self._answer(404, {"error": f"nothing is known of {self.path}"})

    def do_DELETE(self) -> None:
        if self._known() and self._is_startup():
            self.platform.startup_state = None
            self._answer(204)
        else:
            self._answer(404, {"error": f"nothing is known of {self.path}"})

    def do_PUT(self) -> None:
        file = self._stored()
        left = int(self.headers.get("Content-Length", "0"))
        if file is None:
            self._body()
            self._answer(404, {"error": f"nothing is known of {self.path}"})
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as target:
            while left and (chunk := self.rfile.read(min(_CHUNK, left))):
                left -= target.write(chunk)
        self._answer(200)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Log nothing: the steps log their calls."""

    def _known(self) -> bool:
        return self.headers.get("Authorization") == basic(USER, self.platform.key)

    def _is_startup(self) -> bool:
        return self.path == f"/sailor-support/hooks/task/{self.platform.flow_id}/startup/data"

    def _stored(self) -> Path | None:
        _, found, name = self.path.partition("/storage/")
        is_name = found and name and set(name) <= set("0123456789abcdef-")
        return self.platform.folder / name if is_name else None

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _send_file(self, file: Path) -> None:
        if not file.is_file():
            self._answer(404, {"error": "no such attachment"})
            return
        self.send_response(200)
        self.send_header("Content-Length", str(file.stat().st_size))
        self.end_headers()
        with file.open("rb") as source:
            while chunk := source.read(_CHUNK):
                self.wfile.write(chunk)

    def _answer(self, status: int, value: Mapping[str, Any] | None = None) -> None:
        body = b"" if value is None else encode(value)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
