"""Turns an engine's address and the environment variables of Docker's own tools into fields of the credential."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lib.local.engine.pem_files import pem_texts

CUSTOM_URL = "2"
DEFAULT_SOCKET = "unix"


def credentials_of(
    environ: Mapping[str, str], host: str = "", tls: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the credential fields for the engine at `host`, by default at the default socket.

    `tls` are the certificate fields that belong to the address; without them DOCKER_CERT_PATH and DOCKER_TLS_VERIFY
    count. They count for TCP only, as with Docker's tools; DOCKER_API_VERSION becomes the pin. Raises UsageError when
    a certificate cannot be read.
    """
    pin = environ.get("DOCKER_API_VERSION")
    version = {"apiVersion": pin} if pin else {}
    if not host:
        return {"server": DEFAULT_SOCKET, **version}
    scheme, separator, rest = host.partition("://")
    if separator and scheme.lower() in ("tcp", "https"):
        found = _tls_of(environ) if tls is None else tls
        if found:
            host = f"https://{rest}"
        return {"server": CUSTOM_URL, "otherServer": host, **found, **version}
    return {"server": CUSTOM_URL, "otherServer": host, **version}


def _tls_of(environ: Mapping[str, str]) -> dict[str, str]:
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    folder = environ.get("DOCKER_CERT_PATH")
    if not verify and not folder:
        return {}
    path = Path(folder) if folder else Path(environ.get("HOME", "/"), ".docker")
    return {"tlsVerify": "verify" if verify else "skip", **pem_texts(path, "Check DOCKER_CERT_PATH")}
