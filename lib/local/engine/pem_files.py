"""Certificates as files: only the local runner reads them, since its user may read them anyway."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lib.engine.pem import LONGEST
from lib.local.problems import UsageError

_NAMES = {"tlsCa": "ca.pem", "tlsCertificate": "cert.pem", "tlsKey": "key.pem"}
"""Field of the credential -> name of the file in the folders of Docker's own tools."""


def pem_texts(folder: Path, hint: str) -> dict[str, str]:
    """Return the certificate fields from ca.pem, cert.pem and key.pem, as far as these are there.

    Raises UsageError with `hint` for one that is there and cannot be read.
    """
    fields = {}
    for field, name in _NAMES.items():
        with suppress(FileNotFoundError):  # a client certificate is optional, and the CA may be the system's
            fields[field] = _text(folder / name, hint)
    return fields


def with_pem_files(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with PEM texts in the place of the paths in its fields of certificates and keys.

    The component itself takes PEM texts only. Raises UsageError when a value is neither PEM text nor a readable file.
    """
    texts = dict(config)
    for field in (*_NAMES, "sshKey"):
        value = config.get(field)
        if isinstance(value, str) and value.strip() and "-----BEGIN" not in value:
            try:
                texts[field] = _text(
                    Path(value.strip()).expanduser(), f"{field} takes PEM text or a file's path"
                )
            except FileNotFoundError as error:
                raise UsageError(
                    f"{field} is neither PEM text nor a file",
                    hint="Give the whole text from -----BEGIN to -----END, or the path of its file",
                ) from error
    return texts


def _text(file: Path, hint: str) -> str:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise UsageError(f"{file} cannot be read: it is no plain file", hint=hint)
        with file.open(encoding="ascii") as source:
            return source.read(LONGEST + 1)  # one more, so that a later check rejects it
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}", hint=hint) from error
