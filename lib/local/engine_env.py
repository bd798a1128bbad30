"""Turns the environment that Docker's own tools read into the fields of this component's credential."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from lib.local.problems import UsageError

CUSTOM_URL = "2"
DEFAULT_SOCKET = "unix"

_PEM_FILES = {"tlsCa": "ca.pem", "tlsCertificate": "cert.pem", "tlsKey": "key.pem"}


def credentials_of(environ: Mapping[str, str], url: str | None = None) -> dict[str, str]:
    """The credential fields for the engine that `url`, else DOCKER_HOST, else the default socket names.

    DOCKER_CERT_PATH and DOCKER_TLS_VERIFY (certificates, verification) count for TCP only, as they do for
    Docker's tools; DOCKER_API_VERSION becomes the pin. Raises UsageError where a certificate is unreadable.
    """
    host = url or environ.get("DOCKER_HOST") or ""
    pin = environ.get("DOCKER_API_VERSION")
    version = {"apiVersion": pin} if pin else {}
    if not host:
        return {"server": DEFAULT_SOCKET, **version}
    if urlsplit(host).scheme in ("tcp", "https"):
        tls = _tls_of(environ)
        if tls:
            host = "https" + host[host.index(":") :]
        return {"server": CUSTOM_URL, "otherServer": host, **tls, **version}
    return {"server": CUSTOM_URL, "otherServer": host, **version}


def _tls_of(environ: Mapping[str, str]) -> dict[str, str]:
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    folder = environ.get("DOCKER_CERT_PATH")
    if not verify and not folder:
        return {}
    path = Path(folder) if folder else Path(environ.get("HOME", "/"), ".docker")
    fields = {"tlsVerify": "verify" if verify else "skip"}
    for field, name in _PEM_FILES.items():
        file = path / name
        try:
            fields[field] = file.read_text("ascii")
        except FileNotFoundError:
            continue  # a client certificate is optional, and the CA may be the system's
        except (OSError, ValueError) as error:
            raise UsageError(f"{file} cannot be read: {error}", hint="Check DOCKER_CERT_PATH") from error
    return fields
