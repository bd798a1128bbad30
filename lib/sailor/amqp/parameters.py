"""Turns AMQP_URI into the client library's connection parameters, and its exceptions into texts."""

from __future__ import annotations

import os
import ssl
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from lib.sailor.amqp import tls
from lib.sailor.errors import TransportError

NAMES = {"heartbeat": "heartbeat", "channelMax": "channel_max", "frameMax": "frame_max"}
"""Parameters of the URI (protocol 3.1) -> names of the client library. Those for TLS are in lib/sailor/amqp/tls.py."""


def parameters(uri: str, role: str) -> Any:
    """Return the connection parameters of a URI; TransportError, without the URI in its text, when it cannot be used.

    The connection's name at the broker is `<hostname>-<role>`; `role` is read or write (protocol 3.1).
    """
    import pika

    try:
        parts = urlsplit(uri.strip())
        wanted = pika.URLParameters(_understood(parts))
    except (ValueError, TypeError, LookupError) as error:  # the error's text may hold the password
        raise TransportError(f"ELASTICIO_AMQP_URI cannot be used ({type(error).__name__})") from None
    if parts.scheme == "amqps":
        wanted.ssl_options = tls.options(dict(parse_qsl(parts.query)))
    wanted.client_properties = {"connection_name": f"{os.uname().nodename}-{role}"}
    return wanted


def reason(error: BaseException) -> str:
    """Return the text of an exception of the client library: that of the innermost cause, with advice about TLS."""
    if inner := getattr(error, "exceptions", None):
        return reason(inner[-1])
    if isinstance(inner := getattr(error, "exception", None), BaseException):
        return reason(inner)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{error}; {tls.ADVICE}"
    text = str(error) or repr(error)
    # The TLS alert with the reason does not always arrive before the connection ends.
    return f"{text}; {tls.REFUSED}" if "SSL" in text else text


def _understood(parts: SplitResult) -> str:
    """Return the URI with known parameters only, and as amqp: for amqps the library would make its own TLS context.

    Raises ValueError when it is no AMQP address.
    """
    if parts.scheme not in ("amqp", "amqps") or not parts.hostname:
        raise ValueError("no AMQP address")
    known = [(NAMES[name], value) for name, value in parse_qsl(parts.query) if name in NAMES]
    port = f":{tls.PORT}" if parts.scheme == "amqps" and parts.port is None else ""
    netloc = parts.netloc.removesuffix(":") + port
    return urlunsplit(parts._replace(scheme="amqp", netloc=netloc, query=urlencode(known)))
