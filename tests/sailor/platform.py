"""A stand-in for the platform on a real socket: its API, object storage (maester) and signed URLs (steward)."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from tests.lab.waiting import DEADLINE

Answer = tuple[int, Any]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Platform:
    """Answers what it was told to, remembers what it was asked; objects are really kept."""

    step: dict[str, Any] = field(
        default_factory=lambda: {"config": {}, "snapshot": {}, "is_passthrough": False}
    )
    requests: list[Request] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    object_types: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._answers: dict[tuple[str, str], list[Answer | Callable[[Request], Answer]]] = {}
        self._changed = threading.Condition()
        stand_in = self

        class Handler(_Handler):
            platform = stand_in

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def on(self, method: str, path: str, *answers: Answer | Callable[[Request], Answer]) -> None:
        """Give these answers one after another; the last one stays."""
        self._answers[method, path] = list(answers)

    def asked(self, method: str, path: str) -> list[Request]:
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    def wait_for(self, method: str, path: str, count: int = 1) -> list[Request]:
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.asked(method, path)) >= count, DEADLINE):
                raise TimeoutError(f"no {method} {path} within {DEADLINE} s; asked: {self.requests}")
        return self.asked(method, path)

    def answer(self, request: Request) -> tuple[int, bytes, str]:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            waiting = self._answers.get((request.method, request.path))
            told = (waiting.pop(0) if len(waiting) > 1 else waiting[0]) if waiting else None
        if callable(told):
            told = told(request)
        if told is not None:
            status, body = told
            return status, body if isinstance(body, bytes) else json.dumps(body).encode(), "application/json"
        return self._by_itself(request)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _by_itself(self, request: Request) -> tuple[int, bytes, str]:
        path = urlsplit(request.path).path
        if request.method == "GET" and path == "/v1/tasks/flow1/steps/step_1":
            return 200, json.dumps(self.step).encode(), "application/json"
        if request.method == "POST" and path == "/v2/resources/storage/signed-url":
            name = f"{self.url}/steward/{uuid.uuid4()}"
            return (
                200,
                json.dumps({"put_url": name, "get_url": name, "expires": 18000}).encode(),
                "application/json",
            )
        if request.method == "POST" and path == "/objects":
            return (
                201,
                json.dumps({"objectId": self.keep(request.body, request)}).encode(),
                "application/json",
            )
        if request.method == "PUT" and path.startswith("/steward/"):
            self.keep(request.body, request, path.removeprefix("/steward/"))
            return 200, b"", "text/plain"
        return self._kept(request, path, path.rpartition("/")[2])

    def _kept(self, request: Request, path: str, name: str) -> tuple[int, bytes, str]:
        if request.method == "DELETE" and path.startswith("/objects/") and self.objects.pop(name, None):
            return 204, b"", "text/plain"
        if request.method == "GET" and path.startswith(("/steward/", "/objects/")) and name in self.objects:
            return 200, self.objects[name], self.object_types.get(name, "application/octet-stream")
        return 404, b'{"error":"not here"}', "application/json"

    def keep(self, data: bytes, request: Request | None = None, name: str | None = None) -> str:
        name = name or str(uuid.uuid4())
        self.objects[name] = data
        if request is not None and "content-type" in request.headers:
            self.object_types[name] = request.headers["content-type"]
        return name


class _Handler(BaseHTTPRequestHandler):
    platform: Platform
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def handle_any(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            request = Request(self.command, self.path, headers, self._body(headers))
        except EOFError:  # who sent it has died; half a body is never kept
            self.close_connection = True
            return
        status, body, content_type = self.platform.answer(request)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - the names are the server's

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            size = int(headers.get("content-length", 0))
            body = self.rfile.read(size)
            if len(body) < size:
                raise EOFError
            return body
        body = b""
        while size := int(self.rfile.readline() or self._cut_off(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _cut_off(self) -> bytes:
        raise EOFError

    def log_message(self, *_: object) -> None:
        pass
