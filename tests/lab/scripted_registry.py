"""A registry that answers for each image what a test says, in the network of an engine."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from tests.lab.netns import listen_inside

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Answer(NamedTuple):
    """A whole answer; `digest` is what the header Docker-Content-Digest says."""

    status: int
    body: bytes
    kind: str = "application/json"
    digest: str = ""


def image(mark: str) -> Answer:
    """The manifest of an image, which differs from that of other marks."""
    layer = {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 1}
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1}
    tree = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {**config, "digest": f"sha256:{hashlib.sha256(mark.encode()).hexdigest()}"},
        "layers": [{**layer, "digest": f"sha256:{hashlib.sha256(b'layer').hexdigest()}"}],
    }
    body = json.dumps(tree).encode()
    return Answer(200, body, MANIFEST, f"sha256:{hashlib.sha256(body).hexdigest()}")


def error(status: int, code: str, message: str) -> Answer:
    """A refusal in the form of the registries' protocol."""
    return Answer(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode())


class ScriptedRegistry:
    """`images` are the answers for "repository:tag"; `asked` are the manifests that were asked for."""

    def __init__(self, namespace: str) -> None:
        self.images: dict[str, Answer] = {}
        self.asked: list[str] = []
        self._server = _Server(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listen_inside(namespace)
        self._server.registry = self
        self.address = f"127.0.0.1:{self._server.socket.getsockname()[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def put(self, name: str, answer: Answer) -> str:
        """Set the answer for "repository:tag"; return its whole reference."""
        self.images[name] = answer
        return f"{self.address}/{name}"

    def answer(self, path: str) -> Answer:
        """The answer for a path below /v2/."""
        repository, found, tag = path.partition("/manifests/")
        if not found:
            return error(404, "BLOB_UNKNOWN", "blob unknown to registry") if path else Answer(200, b"{}")
        by_digest = (one for one in self.images.values() if one.digest == tag)
        self.asked.append(f"{repository}:{tag}")
        unknown = error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        return self.images.get(f"{repository}:{tag}") or next(by_digest, unknown)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    registry: ScriptedRegistry


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        answer = self.server.registry.answer(self.path.removeprefix("/v2/").partition("?")[0])
        self.send_response(answer.status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.digest:
            self.send_header("Docker-Content-Digest", answer.digest)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(answer.body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        return
