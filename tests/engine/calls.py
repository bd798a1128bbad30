"""Each verb of the client once, to be tried on a server that misbehaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib.engine import Endpoint, Engine
from lib.engine.attach.session import upgrade, websocket
from lib.engine.http.retry import Retry
from lib.engine.request.upload import Upload
from tests.engine.scripted import Scripted, answer

ONCE = Retry(attempts=1)
OBJECT = answer(b'{"a":1}')
OTHER = answer(b'{"b":2}')
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
INTERIM = {
    100: b"HTTP/1.1 100 Continue\r\n\r\n",
    102: b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n",
    103: b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
}
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def engine_at(server: Scripted, **settings: Any) -> Engine:
    return Engine(Endpoint.parse(server.url), **{"retry": ONCE, **settings})


def attached(engine: Engine) -> list[bytes]:
    with upgrade(engine, "/exec/1/start", {}) as connection:
        return list(connection.chunks())


CALLS: dict[str, Callable[[Engine], Any]] = {
    "get": lambda engine: engine.get("/info").json(),
    "head": lambda engine: engine.head("/info").status,
    "post": lambda engine: engine.post("/x", body={}).json(),
    "put": lambda engine: engine.put("/x", body=Upload([b"abc"])).json(),
    "delete": lambda engine: engine.delete("/x").json(),
    "lines": lambda engine: list(engine.lines("/events")),
    "progress": lambda engine: list(engine.progress("/build", body=Upload([b"abc"]))),
    "logs": lambda engine: list(engine.logs("/logs", tty=lambda *_: True)),
    "tar": lambda engine: b"".join(engine.tar("/archive")),
    "upgrade": attached,
    "websocket": lambda engine: websocket(engine, "/attach/ws", {}).close(),
}
WRITES = ("post", "put", "delete", "progress", "upgrade", "websocket")
