"""A server on a unix socket that answers as an engine does, with a clock of its own; real ones cannot be set back."""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.lab.waiting import DEADLINE
from tests.triggers.model import Ring

Answer = tuple[int, Any]
Route = Callable[[dict[str, str]], Answer]


class FakeEngine:
    """`ring` is its memory of events and its clock; `routes` are further paths; `refuse`: all but PING and EVENTS."""

    def __init__(self, path: str) -> None:
        self.url = f"unix://{path}"
        self.ring = Ring()
        self.routes: dict[str, Route] = {}
        self.identity = "ENGINE-ONE"
        self.api = "1.41"
        self.refuse = False
        self.api = "1.41"
        self.terminal = False
        self.head_allowed = True
        self.refuse_ping = False
        self.asked: list[str] = []
        self.live = threading.Condition()
        self.streaming = 0
        self._server = _Server(path, _Handler)
        self._server.engine = self
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def config(self) -> dict[str, str]:
        """The credential for it."""
        return {"server": "2", "otherServer": self.url}

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        """Status and body of a GET."""
        if path == "/_ping":
            return (500, {"message": "starting"}) if self.refuse_ping else (200, "OK")
        if path == "/events":
            return 200, self.ring.read(float(query["since"]), float(query["until"]))
        if self.refuse:
            return 403, {"message": "forbidden by the proxy"}
        own = {"/info": {"ID": self.identity}, "/networks/bridge": {"Created": self.ring.run}}
        if path in self.routes:
            return self.routes[path](query)
        return (200, own[path]) if path in own else (404, {"message": f"page not found: {path}"})

    def publish_live(self, **more: Any) -> None:
        """Publish an event and wake the streams."""
        with self.live:
            self.ring.publish(**more)
            self.live.notify_all()

    def wait_for_stream(self) -> None:
        """Wait until somebody listens."""
        with self.live:
            assert self.live.wait_for(lambda: self.streaming, DEADLINE), "nobody listens"

    def close(self) -> None:
        """End the server."""
        with self.live:
            self._server.open = False
            self.live.notify_all()
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    engine: FakeEngine
    open = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # who has read enough goes
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(timestamp or self.server.engine.ring.now, usegmt=True)

    def address_string(self) -> str:
        return "local"

    def log_message(self, *_: object) -> None:
        return

    def do_HEAD(self) -> None:
        if not self.server.open:
            self.close_connection = True
            return
        self._reply(200 if self.server.engine.head_allowed else 405, b"", "text/plain")

    def do_GET(self) -> None:
        engine = self.server.engine
        if not self.server.open:
            self.close_connection = True
            return
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        path = "/" + url.path.split("/", 2)[2] if url.path.startswith("/v1.") else url.path
        engine.asked.append(path)
        if path == "/events" and "until" not in query:
            self._stream(float(query["since"]))
            return
        status, body = engine.answer(path, query)
        if path == "/events":
            self._reply(
                status, b"".join(json.dumps(one).encode() + b"\n" for one in body), "application/json"
            )
        elif isinstance(body, bytes):
            framed = "raw" if engine.api == "1.41" or engine.terminal else "multiplexed"
            self._reply(status, body, f"application/vnd.docker.{framed}-stream")
        else:
            raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self._reply(status, raw, "text/plain" if isinstance(body, str) else "application/json")

    def _stream(self, since: float) -> None:
        """History and then what comes, until the server closes."""
        engine = self.server.engine
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with engine.live:
            history, sent = engine.ring.read(since, engine.ring.now + 3600), len(engine.ring.published)
            engine.streaming += 1
            engine.live.notify_all()
        try:
            self._chunks(history)
            while self.server.open:
                with engine.live:
                    engine.live.wait_for(
                        lambda sent=sent: len(engine.ring.published) > sent or not self.server.open
                    )
                    fresh = engine.ring.published[sent:]
                    sent += len(fresh)
                self._chunks(fresh)
        except OSError:
            self.close_connection = True
        finally:
            engine.streaming -= 1

    def _chunks(self, events: list[dict[str, Any]]) -> None:
        for one in events:
            raw = json.dumps(one).encode() + b"\n"
            self.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
        self.wfile.flush()

    def _reply(self, status: int, raw: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Api-Version", self.server.engine.api)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)
