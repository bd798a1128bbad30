"""A small HTTP client of the lab's own, so that the lab does not rest on the code it tests."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.lab.netns import connect_inside
from tests.lab.waiting import DEADLINE


class WireError(Exception):
    pass


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def lines(self) -> list[Any]:
        """The objects of a JSON lines answer."""
        return [json.loads(line) for line in self.body.splitlines() if line.strip()]


class Wire:
    """Asks one engine at unix:///path, http://host:port or https://host:port (with a context), also in a namespace."""

    def __init__(
        self,
        url: str,
        *,
        context: ssl.SSLContext | None = None,
        namespace: str = "",
        timeout: float = DEADLINE,
    ) -> None:
        self.url, self.context, self.namespace, self.timeout = url, context, namespace, timeout

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **query: Any
    ) -> Answer:
        """One request on a connection of its own; bytes are sent as a tar, anything else as JSON."""
        wanted = {
            name: json.dumps(value) if isinstance(value, dict | bool) else value
            for name, value in query.items()
        }
        sent = dict(headers or {})
        if isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/x-tar")
        elif body is not None:
            sent.setdefault("Content-Type", "application/json")
            body = json.dumps(body).encode()
        connection = self.connect()
        try:
            connection.request(method, path + ("?" + urlencode(wanted) if wanted else ""), body, sent)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def do(self, method: str, path: str, body: Any = None, **query: Any) -> Answer:
        """As `ask`, but anything that is not a success raises WireError."""
        answer = self.ask(method, path, body, **query)
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise WireError(
                f"{method} {path}: {answer.status} {answer.body.decode(errors='replace').strip()}"
            )
        return answer

    def connect(self) -> http.client.HTTPConnection:
        """An open connection, for streams."""
        where = urlsplit(self.url)
        if where.scheme == "unix":
            connection = http.client.HTTPConnection("localhost")
            connection.sock = self._unix(where.path)
            return connection
        address = (where.hostname or "localhost", where.port)
        if self.namespace:
            connection = http.client.HTTPConnection("127.0.0.1", where.port)
            connection.sock = connect_inside(self.namespace, where.port or 80, self.timeout)
            return connection
        if where.scheme == "https":
            return http.client.HTTPSConnection(*address, timeout=self.timeout, context=self.context)
        return http.client.HTTPConnection(*address, timeout=self.timeout)

    def _unix(self, path: str) -> socket.socket:
        stream = socket.socket(socket.AF_UNIX)
        try:
            stream.settimeout(self.timeout)
            stream.connect(path)
        except OSError:
            stream.close()
            raise
        return stream
