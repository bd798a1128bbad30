"""A registry that knows its users by tokens, as those of clouds do: it writes down which login it was shown."""

from __future__ import annotations

import hashlib
import json
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

from tests.lab.engine import LabEngine
from tests.lab.http_beside import HttpBeside

MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
        "manifests": [],
    }
).encode()
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
BEARER = "given-for-the-right-token"


class TokenRegistry(HttpBeside):
    """Has one manifest under every name, for those who trade `token` in; `shown` are the tokens that were tried."""

    def __init__(self, engine: LabEngine, token: str) -> None:
        super().__init__(engine, _TokenHandler)
        self.token = token
        self.shown: list[str] = []


class _TokenHandler(BaseHTTPRequestHandler):
    server: TokenRegistry
    # The answer to a hello of TLS has a head then; BuildKit from 26.1 on goes over to plain HTTP only after one.
    default_request_version = "HTTP/1.0"

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
        token = form.get("refresh_token", [""])[0]
        self.server.shown.append(token)
        if token == self.server.token:
            self._send(200, json.dumps({"access_token": BEARER, "expires_in": 300}).encode())
        else:
            self._send(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}')

    def do_GET(self) -> None:
        if self.path.startswith("/token"):
            self._send(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}')
        elif self.headers.get("Authorization") != f"Bearer {BEARER}":
            realm = f'Bearer realm="http://{self.server.address}/token",service="lab"'
            self._send(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', {"Www-Authenticate": realm})
        else:
            kind = json.loads(MANIFEST)["mediaType"] if "/manifests/" in self.path else "application/json"
            body = MANIFEST if "/manifests/" in self.path else b"{}"
            self._send(200, body, {"Content-Type": kind, "Docker-Content-Digest": DIGEST})

    do_HEAD = do_GET  # noqa: N815 - as http.server calls it

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests have enough to say."""
