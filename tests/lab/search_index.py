"""An index that engines search for images in."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.lab.engine import LabEngine
from tests.lab.netns import listen_inside


class SearchIndex:
    """Answers an engine's search as the old index protocol has it: `GET /images/search?term=ADDRESS/word`."""

    def __init__(self, engine: LabEngine, names: Sequence[str]) -> None:
        self._server = _IndexServer(("127.0.0.1", 0), _IndexHandler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listen_inside(engine.namespace)
        self._server.names = names
        self.address = f"127.0.0.1:{self._server.socket.getsockname()[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _IndexServer(ThreadingHTTPServer):
    names: Sequence[str] = ()


class _IndexHandler(BaseHTTPRequestHandler):
    server: _IndexServer

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        term = parse_qs(where.query).get("q", [""])[0]
        found = [
            {"name": name, "description": f"About {name}", "star_count": len(name), "is_official": False}
            for name in self.server.names
            if term in name
        ]
        answer = (
            {"query": term, "num_results": len(found), "results": found} if "search" in where.path else {}
        )
        self._send(json.dumps(answer).encode())

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Docker-Registry-Standalone", "true")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests have enough to say."""
