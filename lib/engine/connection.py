"""One connection to an engine: http.client's, with the cheaper ways for requests and answers that are whole."""

from __future__ import annotations

import select
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection

from requests import PreparedRequest

from lib.engine.answers import Answer
from lib.engine.dial import dial
from lib.engine.endpoint import Endpoint
from lib.engine.httphead import request_head


class Connection(HTTPConnection):
    """An http.client connection whose socket comes from `dial`."""

    response_class = Answer

    def __init__(self, endpoint: Endpoint, connect_timeout: float, context: ssl.SSLContext | None) -> None:
        # Nobody checks the Host header of a unix socket, but HTTP/1.1 wants one.
        super().__init__(endpoint.host or "docker", endpoint.port or 80)
        self._endpoint, self._connect_timeout, self._context = endpoint, connect_timeout, context
        self._by_http_client = False
        self._method = "GET"
        self._always = (("Host", _host(endpoint)), ("Accept-Encoding", "identity"))

    def connect(self) -> None:
        self.sock = self.wire = dial(self._endpoint, self._connect_timeout, self._context)

    def send_request(self, request: PreparedRequest) -> None:
        """Send a request: one whose body is bytes at once, others piece by piece as http.client does it."""
        method, body = request.method or "GET", request.body
        self._by_http_client = not (body is None or isinstance(body, bytes))
        if body is None or isinstance(body, bytes):
            self.sock.sendall(self._whole(method, request.path_url, request.headers, body or b""))
            self._method = method
            return
        chunked = "Transfer-Encoding" in request.headers
        self.request(method, request.path_url, body, request.headers, encode_chunked=chunked)

    def _whole(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
        given = [*self._always, *headers.items()]
        if body or method in ("POST", "PUT"):
            given.append(("Content-Length", str(len(body))))
        return request_head(method, target, given) + body

    def answer(self) -> Answer:
        """Read the head of the answer to what was sent."""
        if self._by_http_client:
            return self.getresponse()  # type: ignore[return-value] # of the response_class above
        answer = Answer(self.sock, method=self._method)
        try:
            answer.begin()
        except BaseException:
            answer.close()
            raise
        if answer.will_close:
            self.close()  # the answer has its own hold on the socket
        return answer

    def usable(self) -> bool:
        """Whether a kept connection is still open: nothing to read means neither an end nor leftovers."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return not poll.poll(0)


def _host(endpoint: Endpoint) -> str:
    host = endpoint.host or "docker"
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{endpoint.port}" if endpoint.port else name
