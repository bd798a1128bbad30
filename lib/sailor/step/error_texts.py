"""Makes the texts of errors that leave the step: name, message and stack, masked and of a bounded length."""

from __future__ import annotations

import traceback
from collections.abc import Mapping

from lib.sailor.errors import error_text
from lib.sailor.secrets.masking import Secrets

NOT_AVAILABLE = "Not Available"
LONGEST_ERROR_TEXT = 100_000
"""Characters of each text; an error that quotes a whole answer could be too large for the broker (protocol 5.4)."""

LONGEST_REASON = 4_000
"""Bytes; all headers of a message share one frame of 128 KiB by default (protocol 5.5)."""


def described(error: object, secrets: Secrets) -> dict[str, str]:
    """Return name, message and stack of an error; each text is masked, then cut."""
    return {key: _shortened(secrets.mask(text)) for key, text in error_object(error).items()}


def reason(error: object, secrets: Secrets) -> str:
    """Return the message of an error for the header reboundReason: masked, then cut."""
    text = described(error, secrets)["message"]
    data = text.encode(errors="replace")
    if len(data) <= LONGEST_REASON:
        return text
    return data[:LONGEST_REASON].decode(errors="ignore") + "..."


def error_object(error: object) -> dict[str, str]:
    """Return name, message and stack of a value that was emitted as an error (protocol 5.4), not masked."""
    if isinstance(error, BaseException):
        stack = "".join(traceback.format_exception(error)).rstrip()
        return {"name": type(error).__name__, "message": error_text(error), "stack": stack}
    if isinstance(error, Mapping) and error.get("message"):
        name, stack = error.get("name") or "Error", error.get("stack") or NOT_AVAILABLE
        return {"name": str(name), "message": str(error["message"]), "stack": str(stack)}
    text = str(error) if error else NOT_AVAILABLE
    return {"name": "Error", "message": text, "stack": NOT_AVAILABLE}


def _shortened(text: str) -> str:
    more = len(text) - LONGEST_ERROR_TEXT
    return text if more <= 0 else f"{text[:LONGEST_ERROR_TEXT]}... ({more} more characters)"
