"""Asks an HTTP proxy for a connection to an engine (CONNECT), and says which of the two is the matter if it fails.

The answer is read to the end of its head and not a byte further: what comes behind it belongs to the engine. So bytes
are looked at first (MSG_PEEK) and taken out of the socket once the parser has them.

| answer of the proxy | error | what is the matter |
|---|---|---|
| 2xx | none | |
| 407 | ProxyRefused | the login: proxyUser, proxyPassword |
| 400, 404, 405, 501 | ProxyRefused | it is no proxy, or one without CONNECT |
| 401, 403 | ProxyRefused | its rules forbid this engine or its port |
| 500, 502, 503, 504, 408, 429 | Unreachable | the proxy did not reach the engine, or has no time |
| any other status | ProxyRefused | |
| no HTTP, an endless head | ProxyRefused | it is no proxy |
| silence, an end, a reset | Unreachable | either |

The proxy's own words are not repeated: some quote the request, and with it the login.
"""

from __future__ import annotations

import socket
import time
from http import HTTPStatus

from lib.engine.endpoint import Endpoint
from lib.engine.errors import ProxyRefused, Unreachable
from lib.engine.http.reader import Malformed, Reader
from lib.engine.http.request_head import ascii_host_of, request_head
from lib.engine.proxy import FIELD, PASSWORD, USER, Proxy

_LOOKED_AT = 4096
_PASSING = (408, 429, 500, 502, 503, 504)
_NO_CONNECT = (400, 404, 405, 501)
_FORBIDDEN = (401, 403)
_NO_PROXY = f"Check {FIELD} in the credential: it must be the address of an HTTP proxy that takes CONNECT"


def open_tunnel(plain: socket.socket, endpoint: Endpoint, proxy: Proxy, timeout: float) -> None:
    """Have the proxy connect `plain` with the engine, within `timeout` seconds; raises ProxyRefused and Unreachable.

    Afterwards the socket is as before: blocking, with `timeout`.
    """
    target = ascii_host_of(endpoint)
    headers = [("Host", target)]
    if proxy.login:
        headers.append(("Proxy-Authorization", proxy.login))
    until = time.monotonic() + timeout
    # As for HEAD, there is no body, whatever the head announces: behind it the tunnel begins.
    answer = Reader("HEAD")
    try:
        plain.sendall(request_head("CONNECT", target, headers))
        while not answer.status:
            _hear(plain, answer, until)
    except TimeoutError:
        raise Unreachable(
            f"The proxy {proxy} did not answer in time when it was asked for {target}",
            hint=f"The proxy may be waiting for the engine: check the engine's address and {FIELD} in the credential",
        ) from None
    except Malformed as fault:
        raise ProxyRefused(f"What answers at {proxy} is no HTTP proxy ({fault})", hint=_NO_PROXY) from fault
    except OSError as fault:
        raise Unreachable(
            f"The proxy {proxy} ended the connection when it was asked for {target} ({fault.strerror or fault})",
            hint=f"It may not reach the engine, or be no HTTP proxy: check the engine's address, and {FIELD} in the "
            "credential",
        ) from fault
    plain.settimeout(timeout)
    if not 200 <= answer.status < 300:  # noqa: PLR2004
        raise _refused(answer.status, proxy, target)


def _hear(plain: socket.socket, answer: Reader, until: float) -> None:
    """Feed the reader with what has arrived, up to the end of the head; raises OSError and Malformed."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    plain.settimeout(left)
    arrived = plain.recv(_LOOKED_AT, socket.MSG_PEEK)
    if not arrived:
        raise ConnectionError("no answer")
    taken = 0
    while taken < len(arrived) and not answer.status:
        answer.feed(arrived[taken : taken + 1])
        taken += 1
    plain.recv(taken)


def _refused(status: int, proxy: Proxy, target: str) -> Unreachable:
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        if proxy.user is None:
            return ProxyRefused(
                f"The proxy {proxy} wants a login",
                status=status,
                hint=f"Fill {USER} and {PASSWORD} in the credential",
            )
        return ProxyRefused(
            f"The proxy {proxy} does not accept the login",
            status=status,
            hint=f"Check {USER} and {PASSWORD} in the credential; only the scheme Basic is supported",
        )
    if status in _FORBIDDEN:
        return ProxyRefused(
            f"The proxy {proxy} forbids connections to {target}",
            status=status,
            hint="Its owner has to allow CONNECT to this host and port: many proxies allow port 443 only",
        )
    if status in _PASSING:
        return Unreachable(
            f"The proxy {proxy} answers, but brings no connection to the engine at {target}",
            status=status,
            hint="Check the engine's host and port, and that the engine listens there for the proxy's host",
        )
    what = "takes no CONNECT" if status in _NO_CONNECT else "gives an answer that is none to CONNECT"
    return ProxyRefused(f"The proxy {proxy} {what}", status=status, hint=_NO_PROXY)
