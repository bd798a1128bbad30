"""Finds out why a look-up in a registry failed, from the text and the status of the engine's error.

Engines report most errors of a registry as their own, so the text decides before the status. Names of images are
removed from the text first: `app:429` is not the status 429.
"""

from __future__ import annotations

import re
from typing import Literal

from lib.engine.errors import EngineError, NoSuchOperation, Refused, TimedOut, shortened
from lib.trigger.faults import Fault
from lib.trigger.images.reference import spellings

Outcome = Literal["rateLimited", "unreachable", "unauthorized", "notFound", "failed"]

_NAMES = re.compile(r"\"[^\"\n]*\"|https?://[^\s\"]+|\[[^][\n]*\]")
_STATUS = r"(?:status(?: code)?|HTTP)\W{0,3}"
_BY_TEXT: tuple[tuple[Outcome, re.Pattern[str]], ...] = (
    (
        "rateLimited",
        re.compile(rf"toomanyrequests|too many requests|rate limit|{_STATUS}429\b", re.IGNORECASE),
    ),
    (
        "unreachable",
        re.compile(
            r"dial tcp|connection refused|connection reset|no such host|no route to host|network is unreachable|"
            r"i/o timeout|handshake timeout|deadline exceeded|request canceled|\bEOF\b",
            re.IGNORECASE,
        ),
    ),
    (
        "unauthorized",
        re.compile(
            r"unauthorized|denied|authentication required|no basic auth|insufficient_scope|authorization failed|"
            rf"{_STATUS}40[13]\b",
            re.IGNORECASE,
        ),
    ),
    (
        "notFound",
        re.compile(rf"not found|(?:manifest|name)[ _]unknown|does not exist|{_STATUS}404\b", re.IGNORECASE),
    ),
)
_BY_STATUS: dict[int, Outcome] = {
    429: "rateLimited",
    401: "unauthorized",
    403: "unauthorized",
    404: "notFound",
}
_TEXTS: dict[Outcome, str] = {
    "unauthorized": "{} cannot be read: its registry wants a login. Add the host to the credential's registries",
    "notFound": "{} does not exist in its registry",
    "unreachable": "{} cannot be looked up: the engine gets no answer from its registry",
    "failed": "{} cannot be looked up",
}
FIRST_PAUSE = 15 * 60
LONGEST_PAUSE = 6 * 3600
"""Both in seconds."""


def outcome(error: Exception, reference: str) -> Outcome:
    """Return the meaning of a failed DistributionInspect for `reference`; `failed` if it is none of the others."""
    if isinstance(error, TimedOut):
        return "unreachable"
    if not isinstance(error, Refused) or isinstance(error, NoSuchOperation):
        return "failed"
    text = _NAMES.sub(" ", error.message)
    for name in spellings(reference):
        text = text.replace(name, " ")
    by_text = next((meaning for meaning, pattern in _BY_TEXT if pattern.search(text)), None)
    return by_text or _BY_STATUS.get(error.status or 0, "failed")


def reference_fault(reference: str, meaning: Outcome, error: Exception) -> Fault:
    """Return the fault of a reference that cannot be looked up."""
    text = f"{_TEXTS[meaning].format(reference)}. {_said(error)}"
    return Fault(meaning, text, {"reference": reference})


def registry_fault(host: str, error: Exception) -> Fault:
    """Return the fault of a registry that does not answer."""
    text = f"The registry {host} cannot be reached: the engine gets no answer from it. {_said(error)}"
    return Fault("unreachable", text, {"registry": host})


def rate_fault(host: str, seconds: int) -> Fault:
    """Return the fault of a registry that was asked too often and is not asked for `seconds`."""
    text = (
        f"The registry {host} refuses further questions for now; it is left alone for {seconds // 60} minutes"
    )
    return Fault("rateLimited", text, {"registry": host})


def pause(failures: int) -> int:
    """Return the seconds for which a registry is not asked, after so many refusals in a row for asking too often.

    15 minutes, doubled with each further refusal, at most 6 hours (docs/triggers.md#imageupdated).
    """
    return min(FIRST_PAUSE << min(max(failures - 1, 0), 10), LONGEST_PAUSE)


def _said(error: Exception) -> str:
    if isinstance(error, Refused):
        return f"The engine says: {shortened(error.message)}"
    return shortened(str(error)) if isinstance(error, EngineError) else "The engine's answer is no answer"
