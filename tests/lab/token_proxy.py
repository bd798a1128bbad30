"""A registry that wants a token of everybody, as Docker Hub does: it gives one to everybody, or to those who log in."""

from __future__ import annotations

import base64
import http.client
import json
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

from tests.lab.engine import LabEngine
from tests.lab.http_beside import HttpBeside
from tests.lab.netns import connect_inside
from tests.lab.registry import Registry

BEARER = "for-anybody"
_PASSED_ON = ("Content-Type", "Content-Length", "Docker-Content-Digest")


class TokenProxy(HttpBeside):
    """Stands before `registry`; `address` begins the names of the images that are read through it.

    With a `login`, "user:password", tokens are for those who show it; with an `identity`, for those who trade it in.
    """

    def __init__(self, engine: LabEngine, registry: Registry, login: str = "", *, identity: str = "") -> None:
        super().__init__(engine, _Handler)
        self.identity = identity
        self.login = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self.namespace = engine.namespace
        self.beyond = int(registry.address.rpartition(":")[2])


class _Handler(BaseHTTPRequestHandler):
    server: TokenProxy
    # The answer to a hello of TLS has a head then; BuildKit from 26.1 on goes over to plain HTTP only after one.
    default_request_version = "HTTP/1.0"

    def do_GET(self) -> None:
        if self.path.startswith("/token"):
            known = self.headers.get("Authorization") == self.server.login
            if self.server.identity or (self.server.login and not known):
                self._send(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', {})
                return
            self._send(200, json.dumps({"token": BEARER, "expires_in": 300}).encode(), {})
        elif self.headers.get("Authorization") != f"Bearer {BEARER}":
            realm = f'Bearer realm="http://{self.server.address}/token",service="lab"'
            self._send(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', {"Www-Authenticate": realm})
        else:
            self._pass_on()

    do_HEAD = do_GET  # noqa: N815 - as http.server calls it

    def do_POST(self) -> None:
        """The other way to a token, which not every registry has."""
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
        if self.server.identity and form.get("refresh_token") == [self.server.identity]:
            self._send(200, json.dumps({"access_token": BEARER, "expires_in": 300}).encode(), {})
        else:
            self._send(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', {})

    def _pass_on(self) -> None:
        beyond = http.client.HTTPConnection("127.0.0.1", self.server.beyond)
        beyond.sock = connect_inside(self.server.namespace, self.server.beyond)
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
