"""Opens a connection to an engine, with TLS where the endpoint has it, and explains why it fails."""

from __future__ import annotations

import socket
import ssl
import time

from lib.engine.endpoint import Endpoint
from lib.engine.errors import TlsRefused, Unreachable
from lib.engine.http.faults import identity_refused
from lib.engine.http.tunnel import open_tunnel
from lib.engine.proxy import FIELD, Proxy
from lib.resolving import NotResolvedInTime, places

_PROBES = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


def connect(endpoint: Endpoint, timeout: float, context: ssl.SSLContext | None) -> socket.socket:
    """Return a connected socket, with TLS if `context` is given; raises Unreachable, and its subclass TlsRefused.

    For an ssh:// endpoint it is connected with the SSH server.

    `timeout` is in seconds: once for the name and all its addresses together, once more for the answer of a proxy on
    the way, and once more for the TLS handshake.
    """
    try:
        if endpoint.scheme == "unix":
            return _connect_unix(endpoint.socket_path, timeout)
        first = endpoint.proxy or endpoint
        plain = _connect_tcp(first.host, first.port, timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _keep_alive(plain)
    except OSError as fault:
        what = f"proxy answers at {endpoint.proxy}" if endpoint.proxy else f"engine answers at {endpoint}"
        raise Unreachable(f"No {what} ({_reason(fault)})", hint=_unreachable_hint(endpoint, fault)) from fault
    if endpoint.proxy:
        _through(plain, endpoint, endpoint.proxy, timeout)
    return _secure(plain, endpoint, context) if context else plain


def _through(plain: socket.socket, endpoint: Endpoint, proxy: Proxy, timeout: float) -> None:
    try:
        open_tunnel(plain, endpoint, proxy, timeout)
    except BaseException:
        plain.close()
        raise


def _keep_alive(plain: socket.socket) -> None:
    """Notice within a minute that the other machine is gone: a call of the kind `wait` may be silent for an hour."""
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PROBES.items():
        if hasattr(socket, name):
            plain.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _connect_tcp(host: str, port: int, timeout: float) -> socket.socket:
    """Return a socket connected to the first address that answers; the addresses share the time that is left."""
    deadline = time.monotonic() + timeout
    waiting = places(host, port, timeout)
    while waiting:
        left = max(deadline - time.monotonic(), 0.001)
        family, where = waiting.pop(0)
        plain = socket.socket(family, socket.SOCK_STREAM)
        try:
            plain.settimeout(left / (len(waiting) + 1))
            plain.connect(where)
        except BaseException as fault:
            plain.close()
            if not waiting or not isinstance(fault, OSError):
                raise
        else:
            plain.settimeout(timeout)
            return plain
    raise OSError("the host has no address")


def _connect_unix(path: str, timeout: float) -> socket.socket:
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
        # Without a close_notify, anybody may have ended the connection: it counts as cut.
        return context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False)
    except OSError as fault:
        plain.close()
        raise handshake_failed(fault, endpoint.way) from fault


def handshake_failed(fault: OSError, engine: str) -> Unreachable:
    """Return the error for a failed handshake with `engine`: TlsRefused, or Unreachable if it may be repeated."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return TlsRefused(
            f"The certificate of {engine} is not trusted: {fault.verify_message}",
            hint='Check tlsCa ("CA certificate"), and tlsServerName ("Name in the engine\'s certificate") if it is '
            "made out to another name",
        )
    if isinstance(fault, ssl.SSLEOFError) or not isinstance(fault, ssl.SSLError):
        return Unreachable(
            f"The TLS handshake with {engine} was cut short ({_cut_short(fault)})",
            hint="The engine may be restarting; if it stays so, check that this port speaks TLS",
        )
    if "CERTIFICATE" in (fault.reason or ""):
        return identity_refused(fault)
    return TlsRefused(
        f"No TLS connection to {engine} ({fault.reason or fault})",
        hint='Check that this port speaks TLS, and tlsCertificate ("Client certificate") and tlsKey ("Client key")',
    )


def _reason(fault: OSError) -> str:
    if isinstance(fault, NotResolvedInTime):
        return "its name was not resolved in time"
    if isinstance(fault, TimeoutError):
        return "no answer in time"
    return fault.strerror or str(fault)


def _unreachable_hint(endpoint: Endpoint, fault: OSError) -> str:
    if isinstance(fault, PermissionError):
        return "The user of this process may not use the socket"
    if endpoint.scheme == "unix":
        return "Check that the engine runs and that its socket is mounted into this container"
    if isinstance(fault, NotResolvedInTime):
        return "Check the name servers of this container, or write the address of the host"
    if endpoint.ssh:
        return "Check host and port of the address (otherServer) and firewalls: an SSH server has to listen there"
    if endpoint.proxy:
        return f"Check {FIELD} in the credential: host and port of the proxy, and that it listens there"
    return "Check host, port and firewall, and that the engine listens there"


def _cut_short(fault: OSError) -> str:
    return "the connection ended" if isinstance(fault, ssl.SSLEOFError) else _reason(fault)
