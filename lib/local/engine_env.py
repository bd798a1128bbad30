"""Turns the environment variables of Docker's own tools into fields of this component's credential."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lib.engine.pem import LONGEST
from lib.local.problems import UsageError

CUSTOM_URL = "2"
DEFAULT_SOCKET = "unix"

_PEM_FILES = {"tlsCa": "ca.pem", "tlsCertificate": "cert.pem", "tlsKey": "key.pem"}


def credentials_of(environ: Mapping[str, str], url: str | None = None) -> dict[str, str]:
    """Return the credential fields for the engine at `url`, else at DOCKER_HOST, else at the default socket.

    DOCKER_CERT_PATH and DOCKER_TLS_VERIFY count for TCP only, as with Docker's tools; DOCKER_API_VERSION becomes the
    pin. Raises UsageError when a certificate cannot be read.
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
        with suppress(FileNotFoundError):  # a client certificate is optional, and the CA may be the system's
            fields[field] = _pem_text(path / name, "Check DOCKER_CERT_PATH")
    return fields


def with_pem_files(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with PEM texts in the place of the paths in its certificate fields.

    Only the local runner reads such files: its user may read them anyway. The component itself takes PEM texts only.
    Raises UsageError when a value is neither PEM text nor a readable file.
    """
    texts = dict(config)
    for field in _PEM_FILES:
        value = config.get(field)
        if isinstance(value, str) and value.strip() and "-----BEGIN" not in value:
            try:
                texts[field] = _pem_text(Path(value.strip()), f"{field} takes PEM text or a file's path")
            except FileNotFoundError as error:
                raise UsageError(
                    f"{field} is neither PEM text nor a file",
                    hint="Give the whole text from -----BEGIN to -----END, or the path of its file",
                ) from error
    return texts


def _pem_text(file: Path, hint: str) -> str:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise UsageError(f"{file} cannot be read: it is no plain file", hint=hint)
        with file.open(encoding="ascii") as source:
            return source.read(LONGEST + 1)  # one more, so that a later check rejects it
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}", hint=hint) from error
