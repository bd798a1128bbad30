"""TLS to the broker (`amqps://`): authorities and client certificate, from the URI's parameters (docs/broker.md)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from lib.sailor.errors import TransportError

PORT = 5671
ADVICE = (
    "its authority has to be the system's, or named by cacertfile in ELASTICIO_AMQP_URI or by SSL_CERT_FILE"
)
REFUSED = "the broker may want a certificate: certfile and keyfile in ELASTICIO_AMQP_URI"
VERIFY = {"verify_peer": True, "verify_none": False}


def options(query: Mapping[str, str]) -> Any:
    """Return the client library's TLS options; TransportError names the parameter that cannot be used.

    `query` has the parameters of RabbitMQ's clients: cacertfile (by default the system's authorities, or those that
    SSL_CERT_FILE and SSL_CERT_DIR name), certfile and keyfile, verify, server_name_indication.
    """
    from pika import SSLOptions  # imported late: it loads the client library

    context = _trusting(query.get("cacertfile") or None)
    verify = query.get("verify", "verify_peer")
    if verify not in VERIFY:
        raise TransportError(f"ELASTICIO_AMQP_URI: verify is verify_peer or verify_none, not {verify}")
    if not VERIFY[verify]:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate := query.get("certfile"):
        _show(context, certificate, query.get("keyfile") or None)
    return SSLOptions(context, query.get("server_name_indication") or None)


def _trusting(authorities: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise _unusable("cacertfile", authorities, error) from error


def _show(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    def no_password() -> str:
        raise ValueError("the key is locked with a password")

    try:
        context.load_cert_chain(certificate, key, no_password)
    except (OSError, ValueError) as error:
        raise _unusable("certfile and keyfile", f"{certificate}, {key}", error) from error


def _unusable(name: str, value: str | None, error: Exception) -> TransportError:
    return TransportError(f"ELASTICIO_AMQP_URI: {name} ({value}) cannot be used: {error}")
