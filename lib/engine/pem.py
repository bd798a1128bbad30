"""PEM texts as people paste them: line breaks lost or escaped, several blocks, or a file's path."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from lib.engine.errors import BadInput

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)


def pem(value: str, *, field: str, kind: str) -> str:
    """Return `value`, or the file that it names, as clean PEM blocks.

    `kind` is a word that a block's label must hold ("CERTIFICATE", "PRIVATE KEY"); raises BadInput naming
    `field`, never quoting the text, which may be a key.
    """
    text = value.strip().replace("\\n", "\n")
    if "-----BEGIN" not in text:
        text = _read(text, field)
    blocks = [_clean(label, body) for label, body in _BLOCK.findall(text) if kind in label]
    if not blocks:
        raise BadInput(
            f"{field} holds no {kind} in PEM form",
            field=field,
            hint=f"Paste the whole text from -----BEGIN to -----END ({kind})",
        )
    return "\n".join(blocks)


def _read(path: str, field: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace")
    except (OSError, ValueError):
        raise BadInput(
            f"{field} is neither PEM text nor a readable file",
            field=field,
            hint="Paste the whole text from -----BEGIN to -----END",
        ) from None


def _clean(label: str, body: str) -> str:
    # Headers of an encrypted key in the older form (Proc-Type, DEK-Info) need own lines and a blank one.
    headers = re.findall(r"[A-Za-z-]+: [^\s]+", body)
    for header in headers:
        body = body.replace(header, "")
    lines = textwrap.wrap("".join(body.split()), 64)
    head = [*headers, ""] if headers else []
    return "\n".join([f"-----BEGIN {label}-----", *head, *lines, f"-----END {label}-----", ""])
