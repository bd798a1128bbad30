"""From AMQP_URI to what the client library wants to know."""

from __future__ import annotations

import os
import ssl
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from lib.sailor.amqp import tls
from lib.sailor.errors import TransportError

NAMES = {"heartbeat": "heartbeat", "channelMax": "channel_max", "frameMax": "frame_max"}
"""The parameters of a URI that the platform's other runtime knows, and their names here; without TLS, no others."""


def parameters(uri: str, role: str) -> Any:
    """Return the connection parameters of a URI; the broker shows the connection as `<hostname>-<role>`."""
    import pika

    try:
        parts = urlsplit(uri.strip())
        wanted = pika.URLParameters(_understood(parts))
    except (ValueError, TypeError, LookupError) as error:  # their texts may hold the password
        raise TransportError(f"ELASTICIO_AMQP_URI cannot be used ({type(error).__name__})") from None
    if parts.scheme == "amqps":
        wanted.ssl_options = tls.options(dict(parse_qsl(parts.query)))
    wanted.client_properties = {"connection_name": f"{os.uname().nodename}-{role}"}
    return wanted


def reason(error: BaseException) -> str:
    """Return what an exception of the client library says, also where it hides it in its arguments."""
    if inner := getattr(error, "exceptions", None):
        return reason(inner[-1])
    if isinstance(inner := getattr(error, "exception", None), BaseException):
        return reason(inner)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{error}; {tls.ADVICE}"
    text = str(error) or repr(error)
    # Whether the alert that says why arrives before the end of the connection is a matter of luck.
    return f"{text}; {tls.REFUSED}" if "SSL" in text else text


def _understood(parts: SplitResult) -> str:
    """Return the URI as the client library wants it, which makes up a TLS context of its own for amqps."""
    if parts.scheme not in ("amqp", "amqps") or not parts.hostname:
        raise ValueError("no AMQP address")
    known = [(NAMES[name], value) for name, value in parse_qsl(parts.query) if name in NAMES]
    port = f":{tls.PORT}" if parts.scheme == "amqps" and parts.port is None else ""
    netloc = parts.netloc.removesuffix(":") + port
    return urlunsplit(parts._replace(scheme="amqp", netloc=netloc, query=urlencode(known)))
