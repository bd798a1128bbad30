"""A registry that wants a token of everybody, and gives one to everybody, as Docker Hub does."""

from __future__ import annotations

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.lab.engine import LabEngine
from tests.lab.netns import connect_inside, listen_inside
from tests.lab.registry import Registry

BEARER = "for-anybody"
_PASSED_ON = ("Content-Type", "Content-Length", "Docker-Content-Digest")


class TokenProxy:
    """Stands before `registry`; `address` begins the names of the images that are read through it."""

    def __init__(self, engine: LabEngine, registry: Registry) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listen_inside(engine.namespace)
        self.address = f"127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._server.address, self._server.namespace = self.address, engine.namespace
        self._server.port = int(registry.address.rpartition(":")[2])
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    address: str
    namespace: str
    port: int


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    # The answer to a hello of TLS has a head then; BuildKit from 26.1 on goes over to plain HTTP only after one.
    default_request_version = "HTTP/1.0"

    def do_GET(self) -> None:
        if self.path.startswith("/token"):
            self._send(200, json.dumps({"token": BEARER, "expires_in": 300}).encode(), {})
        elif self.headers.get("Authorization") != f"Bearer {BEARER}":
            realm = f'Bearer realm="http://{self.server.address}/token",service="lab"'
            self._send(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', {"Www-Authenticate": realm})
        else:
            self._pass_on()

    do_HEAD = do_GET  # noqa: N815 - as http.server calls it

    def _pass_on(self) -> None:
        beyond = http.client.HTTPConnection("127.0.0.1", self.server.port)
        beyond.sock = connect_inside(self.server.namespace, self.server.port)
        beyond.request(self.command, self.path, headers={"Accept": self.headers.get("Accept", "*/*")})
        answer = beyond.getresponse()
        content = answer.read()
        self._send(
            answer.status,
            content,
            {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers},
        )
        beyond.close()

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests have enough to say."""
