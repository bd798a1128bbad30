"""Why a TLS handshake failed: refused for good, or lost on the way."""

from __future__ import annotations

import ssl

from lib.engine.errors import TlsRefused, Unreachable


def handshake_failed(fault: OSError, engine: str) -> Unreachable:
    """Return the error for a handshake with `engine`: TlsRefused, or Unreachable where it may be tried again."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return TlsRefused(
            f"The certificate of {engine} is not trusted: {fault.verify_message}",
            hint="Check tlsCa, and tlsServerName if the certificate is made out to another name",
        )
    if isinstance(fault, ssl.SSLEOFError) or not isinstance(fault, ssl.SSLError):
        return Unreachable(
            f"The TLS handshake with {engine} was cut short ({_reason(fault)})",
            hint="The engine may be restarting; if it stays so, check that this port speaks TLS",
        )
    if "CERTIFICATE" in (fault.reason or ""):
        return identity_refused(fault)
    return TlsRefused(
        f"No TLS connection to {engine} ({fault.reason or fault})",
        hint="Check that this port speaks TLS, and tlsCertificate and tlsKey",
    )


def identity_refused(fault: ssl.SSLError) -> TlsRefused:
    """Return the error for a client certificate that is refused; under TLS 1.3 the first read brings it."""
    return TlsRefused(
        f"The engine refused the TLS connection ({fault.reason or fault})",
        hint="Check tlsCertificate and tlsKey: the engine wants a client certificate that its CA signed "
        "and whose time is not over",
    )


def _reason(fault: OSError) -> str:
    if isinstance(fault, TimeoutError):
        return "no answer in time"
    if isinstance(fault, ssl.SSLEOFError):
        return "the connection ended"
    return fault.strerror or str(fault)
