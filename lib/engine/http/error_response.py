"""Makes an error of an answer with a status of 400 and up.

A known text decides first (`lib.engine.http.known_refusals`), then the status and Retry-After. The error repeats the
engine's own text.
"""

from __future__ import annotations

import re
from typing import Any

from requests import Response

from lib import jsontext
from lib.engine.errors import (
    Busy,
    Conflict,
    EngineFault,
    NoSuchOperation,
    NotFound,
    NotSupported,
    Refused,
    TlsRefused,
    Unauthorized,
    VersionMismatch,
)
from lib.engine.http.known_refusals import known
from lib.engine.http.retry_after import retry_after

_CLASSES: dict[int, type[Refused]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    409: Conflict,
    429: Busy,
    501: NotSupported,
}
_HINTS: dict[int, str] = {
    400: "Check the fields of this step; the engine's text names the one it does not like",
    401: "Check the registry login (field X_Registry_Auth, or registries in the credential)",
    403: "The engine, or a proxy before it, forbids this call",
    404: "Check the id or name, and that the object still exists",
    409: "The object is in a state that forbids this now; look at it with its inspect action",
    501: "This engine's configuration or driver does not support the call",
    429: "The engine, or a proxy before it, was asked too often: ask less often",
    503: "The engine, or a proxy before it, cannot answer at present",
}
_NO_ROUTE = "This engine does not know the operation: it is too old, or no Docker Engine"
_TEXT_LIMIT = 2000
# Characters of a page that are cleaned of tags; bytes up to which a body is parsed as JSON.
_CLEANED, _JSON_LIMIT = 32 * 1024, 1024 * 1024
_VERSION = re.compile(r"client version ([\d.]+) is too (old|new)")

_TAG = re.compile(r"<[^<>]*>")  # no "<" inside: many "<" without an end would take quadratic time

# The texts for an unknown path: one of Docker, three of Podman.
_UNKNOWN = re.compile(
    r"^(?:404 )?page not found$|^Not Found$|^Path \S+ is not supported|^Podman does not support service"
)


def refusal(response: Response, method: str, path: str) -> Exception:
    """Return the error for an answer with a status of 400 and up; `path` is without the query."""
    own = _own_text(response)
    text = own or _reason(response)
    status = response.status_code
    if status == 400 and _VERSION.search(text):  # noqa: PLR2004
        return VersionMismatch(
            text,
            field="apiVersion",
            hint='Empty apiVersion ("API version") in the credential, or use a newer engine',
        )
    if "HTTP request to an HTTPS server" in text:
        return TlsRefused(
            "The engine speaks TLS at this address", hint="Use https:// or tcp:// with certificates"
        )
    later = retry_after(response.headers.get("Retry-After"))
    # Only the body counts: for an empty one `text` is the name of the status, such as Not Found.
    kind, hint = (
        (NoSuchOperation, _NO_ROUTE) if _is_unknown(status, own) else _meaning(status, text, path, later)
    )
    error = kind(text, status=status, method=method, path=path, hint=hint)
    if isinstance(error, Busy):
        error.retry_after = later
    return error


def _is_unknown(status: int, own: str) -> bool:
    return status in (404, 503) and _UNKNOWN.search(own) is not None


def _meaning(status: int, text: str, path: str, later: float | None) -> tuple[type[Refused], str | None]:
    """Return the class of the error and its hint; a known text decides before the status."""
    row = known(status, text)
    if row:
        return row.kind, row.hint
    kind = _CLASSES.get(status) or (EngineFault if status >= 500 else Refused)  # noqa: PLR2004
    hint = _HINTS.get(status)
    if status == 503 and later is not None:  # noqa: PLR2004
        kind = Busy
    if status == 404 and path.endswith("/archive"):  # noqa: PLR2004
        hint = "Check the id or name, and the path"  # an answer to HEAD has no text that says which
    if status == 401 and path.endswith("/swarm/unlock"):  # noqa: PLR2004
        hint = "Check the unlock key: a manager of the swarm shows it by SwarmUnlockkey"
    return kind, hint


def _own_text(response: Response) -> str:
    """Return the text of the body: `message` of a JSON body, else the plain text; "" if there is none."""
    text, cut = _cleaned(_said(response.content))
    return text[:_TEXT_LIMIT] + " …" if text and (cut or len(text) > _TEXT_LIMIT) else text


def _reason(response: Response) -> str:
    return response.reason or "The engine gave no reason"


def _said(raw: bytes) -> str:
    if len(raw) > _JSON_LIMIT:
        return raw[:_JSON_LIMIT].decode("utf-8", "replace")
    try:
        body: Any = jsontext.decode(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
    return str((body.get("message") if isinstance(body, dict) else body) or "")


def _cleaned(text: str) -> tuple[str, bool]:
    """Return (the text without the tags of a proxy's page, whether a part of it was cut off before)."""
    text = text.strip()
    cut = len(text) > _CLEANED
    text = text[:_CLEANED]
    if not text.startswith("<"):
        return text, cut
    if cut and text.rfind("<") > text.rfind(">"):
        text = text[: text.rfind("<")]  # an incomplete tag
    return " ".join(_TAG.sub(" ", text).split()), cut
