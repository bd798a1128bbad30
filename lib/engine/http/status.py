"""Which statuses are a success: 2xx, and 304 where the operation has it. Redirections are not followed."""

from __future__ import annotations

from urllib.parse import urlsplit

from requests import Response

from lib.engine.errors import NotSupported, OutcomeUnknown, Redirected
from lib.engine.http.error_response import refusal
from lib.engine.http.faults import LOOK
from lib.engine.http.reader import Reader

_UNCHANGED = 304
_SHOWN = 200


def check(response: Response, method: str, path: str, *, unchanged: bool = False) -> None:
    """Raise the error for a status that is no success; with `unchanged`, 304 is one."""
    status = response.status_code
    if 200 <= status < 300 or (unchanged and status == _UNCHANGED):  # noqa: PLR2004
        return
    if status < 400:  # noqa: PLR2004
        raise _redirected(response, method, path)
    raise refusal(response, method, path)


def check_encoding(reader: Reader, *, reads: bool) -> None:
    """Raise the error for a 2xx that a proxy compressed, since nothing here can decompress it."""
    if not reader.compressed or not 200 <= reader.status < 300:  # noqa: PLR2004
        return
    text = "the answer is compressed, which was not asked for"
    hint = "Switch compression off in the proxy before the engine"
    if reads:
        raise NotSupported(f"No usable answer: {text}", status=reader.status, hint=hint)
    raise OutcomeUnknown(f"The outcome is unknown: {text}", status=reader.status, hint=f"{LOOK}. {hint}")


def _redirected(response: Response, method: str, path: str) -> Redirected:
    target = _shown(response.headers.get("Location", ""))
    return Redirected(
        f"The address answers with a redirection to {target}"
        if target
        else "The address answers with a redirection",
        status=response.status_code,
        method=method,
        path=path,
        hint="Nothing was done there: redirections are not followed. Change the server's address in the credential",
    )


def _shown(location: str) -> str:
    """Return the target of a redirection without user, password and query, which are private."""
    try:
        parts = urlsplit(location[: 10 * _SHOWN])
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    text = f"{parts.scheme}://{host}{parts.path}" if host else parts.path
    return "".join(character for character in text[:_SHOWN] if character.isprintable())
