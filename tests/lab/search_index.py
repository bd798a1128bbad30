"""An index that engines search for images in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.lab.engine import LabEngine
from tests.lab.http_beside import HttpBeside


class SearchIndex(HttpBeside):
    """Answers an engine's search as the old index protocol has it: `GET /images/search?term=ADDRESS/word`."""

    def __init__(self, engine: LabEngine, names: Sequence[str]) -> None:
        super().__init__(engine, _IndexHandler)
        self.names = names


class _IndexHandler(BaseHTTPRequestHandler):
    server: SearchIndex

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
