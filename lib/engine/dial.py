"""Opening a connection to an engine, with TLS where it has it, and saying why when there is none."""

from __future__ import annotations

import socket
import ssl

from lib.engine.endpoint import Endpoint
from lib.engine.errors import Unreachable
from lib.engine.trust import handshake_failed

_PROBES = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


def dial(endpoint: Endpoint, timeout: float, context: ssl.SSLContext | None) -> socket.socket:
    """Open a connection to the engine, with TLS where the endpoint has it; raises Unreachable."""
    try:
        if endpoint.scheme == "unix":
            return _dial_unix(endpoint.socket_path, timeout)
        plain = socket.create_connection((endpoint.host, endpoint.port), timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _keep_alive(plain)
    except OSError as fault:
        raise Unreachable(
            f"No engine answers at {endpoint} ({_reason(fault)})", hint=_unreachable_hint(endpoint, fault)
        ) from fault
    return _secure(plain, endpoint, context) if context else plain


def _keep_alive(plain: socket.socket) -> None:
    """Notice within a minute that the other machine is gone: a wait may be silent for an hour."""
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PROBES.items():
        if hasattr(socket, name):
            plain.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _dial_unix(path: str, timeout: float) -> socket.socket:
    plain = socket.socket(socket.AF_UNIX)
    try:
        plain.settimeout(timeout)
        plain.connect(path)
    except BaseException:
        plain.close()
        raise
    return plain


def _secure(plain: socket.socket, endpoint: Endpoint, context: ssl.SSLContext) -> socket.socket:
    name = (endpoint.tls and endpoint.tls.server_name) or endpoint.host
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except OSError as fault:
        plain.close()
        raise handshake_failed(fault, str(endpoint)) from fault


def _reason(fault: OSError) -> str:
    if isinstance(fault, TimeoutError):
        return "no answer in time"
    return fault.strerror or str(fault)


def _unreachable_hint(endpoint: Endpoint, fault: OSError) -> str:
    if isinstance(fault, PermissionError):
        return "The user of this process may not use the socket"
    if endpoint.scheme == "unix":
        return "Check that the engine runs and that its socket is mounted into this container"
    return "Check host, port and firewall, and that the engine listens there"
