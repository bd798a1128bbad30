"""Secrets of a build: an object of id -> text, or id -> {"base64": "..."} for what is no text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.text import parsed, utf8

LARGEST = 500 * 1024
"""Bytes of one secret, as Docker's own client has it."""
MOST = 500
"""Secrets of one field: what may not be shown has to be looked for in every line."""
_FORM = 'Write {"npm-token": "..."}, or {"key": {"base64": "..."}} for bytes'


def build_secrets(value: Any, name: str) -> dict[str, bytes]:
    """Return the bytes of each secret by its id; `name` is the field. Raises BadInput, which quotes no secret."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    tree = parsed(value, name)
    if not isinstance(tree, dict):
        raise BadInput(f"{name} must be an object", field=name, hint=_FORM)
    if len(tree) > MOST:
        raise BadInput(
            f"{name} has more than {MOST} secrets", field=name, hint="Give those that the build needs"
        )
    return {key: _secret(key, given, name) for key, given in tree.items()}


def _secret(key: str, given: Any, name: str) -> bytes:
    where = f"{name}.{key}"
    if not key or "," in key or not key.isprintable():
        raise BadInput(f"{name} has the id {key!r}; it must be a word without commas", field=name)
    if isinstance(given, Mapping) and set(given) == {"base64"} and isinstance(given["base64"], str):
        content = _decoded(given["base64"], where)
    elif isinstance(given, str):
        content = utf8(given, where)
    else:
        raise BadInput(f"{where} must be a text", field=name, hint=_FORM)
    if len(content) > LARGEST:
        raise BadInput(f"{where} is longer than {LARGEST} bytes", field=name)
    return content


def _decoded(text: str, where: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadInput(
            f"{where} cannot be read as base64", field=where.partition(".")[0], hint=_FORM
        ) from None
