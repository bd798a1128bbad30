"""From AMQP_URI to what the client library wants to know."""

from __future__ import annotations

import os
from typing import Any

from lib.sailor.errors import TransportError


def parameters(uri: str, role: str) -> Any:
    """Return the connection parameters of a URI; the broker shows the connection as `<hostname>-<role>`."""
    import pika

    try:
        wanted = pika.URLParameters(uri)
    except (ValueError, TypeError) as error:  # the text may hold the password
        raise TransportError(f"ELASTICIO_AMQP_URI cannot be used ({type(error).__name__})") from None
    wanted.client_properties = {"connection_name": f"{os.uname().nodename}-{role}"}
    return wanted


def reason(error: BaseException) -> str:
    """Return what an exception of the client library says, also where it hides it in its arguments."""
    inner = getattr(error, "exceptions", None)
    if inner:
        return reason(inner[-1])
    return str(error) or repr(error)
