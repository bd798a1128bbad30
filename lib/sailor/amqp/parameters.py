"""From AMQP_URI to what the client library wants to know."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lib.sailor.errors import TransportError

NAMES = {"heartbeat": "heartbeat", "channelMax": "channel_max", "frameMax": "frame_max"}
"""The parameters of a URI that the platform's other runtime knows, and their names here; it ignores all others."""


def parameters(uri: str, role: str) -> Any:
    """Return the connection parameters of a URI; the broker shows the connection as `<hostname>-<role>`."""
    import pika

    try:
        wanted = pika.URLParameters(_understood(uri))
    except (ValueError, TypeError) as error:  # their texts may hold the password
        raise TransportError(f"ELASTICIO_AMQP_URI cannot be used ({type(error).__name__})") from None
    wanted.client_properties = {"connection_name": f"{os.uname().nodename}-{role}"}
    return wanted


def reason(error: BaseException) -> str:
    """Return what an exception of the client library says, also where it hides it in its arguments."""
    inner = getattr(error, "exceptions", None)
    if inner:
        return reason(inner[-1])
    return str(error) or repr(error)


def _understood(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme not in ("amqp", "amqps"):
        raise ValueError("no AMQP address")
    known = [(NAMES[name], value) for name, value in parse_qsl(parts.query) if name in NAMES]
    return urlunsplit(parts._replace(query=urlencode(known)))
