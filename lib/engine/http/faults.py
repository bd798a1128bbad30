"""Translates faults at the border of this package: what a socket, TLS or the reader raises becomes an EngineError.

| fault | error of a read | error of a write |
|---|---|---|
| a time limit | TimedOut | OutcomeUnknown |
| a time limit from a setting | LimitReached | OutcomeUnknown, naming the setting |
| a TLS alert before the head | TlsRefused | TlsRefused |
| an end, a reset, a cut, bytes that are not HTTP | NoAnswer | OutcomeUnknown |

A fault inside a stream is always a StreamCut.
"""

from __future__ import annotations

import ssl
from types import TracebackType

from lib.engine.errors import (
    EngineError,
    LimitReached,
    NoAnswer,
    OutcomeUnknown,
    StreamCut,
    TimedOut,
    TlsRefused,
)
from lib.engine.http.reader import Malformed, NoHttp

LOOK = "Look at the object before you repeat the call: it may or may not have taken effect"
NO_ANSWER = "the engine did not answer in time"
STOPPED = "the engine stopped sending"
_RESTARTING = "The engine may be restarting"
_NO_ENGINE = (
    "Check that the server's address and port are those of an engine, or of a proxy that leads to one"
)
FAULTS = (OSError, Malformed)


class SettingReached(TimeoutError):
    """A time limit passed that comes from a setting of the step."""

    def __init__(self, setting: str) -> None:
        super().__init__(f"the time limit {setting} of the step passed")
        self.setting = setting


class Exit:
    """Translates the faults of an exchange that has begun to send. `reads` says that the call changes nothing."""

    __slots__ = ("_look", "_reads", "_slow")

    def __init__(self, *, reads: bool, look: str = LOOK, slow: str = NO_ANSWER) -> None:
        """`look` is the hint of an OutcomeUnknown, `slow` the text for a time limit that passed."""
        self._reads, self._look, self._slow = reads, look, slow

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _kind: type[BaseException] | None, fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(fault, FAULTS):
            raise self.error(fault) from fault

    def error(self, fault: Exception) -> EngineError:
        """Return the EngineError for one of FAULTS."""
        if isinstance(fault, ssl.SSLError) and "ALERT" in (fault.reason or ""):
            return identity_refused(fault)
        text = self._slow if isinstance(fault, TimeoutError) else lost(fault)
        if isinstance(fault, SettingReached):
            text = str(fault)
        if not self._reads:
            return OutcomeUnknown(f"The outcome is unknown: {text}", hint=self._look)
        if isinstance(fault, SettingReached):
            return LimitReached(
                f"The call was ended by the limit {fault.setting}",
                limit=fault.setting,
                hint=f"Raise {fault.setting}",
            )
        kind = TimedOut if isinstance(fault, TimeoutError) else NoAnswer
        hint = _NO_ENGINE if isinstance(fault, NoHttp) else _RESTARTING
        return kind(f"No whole answer: {text}", hint=hint)


class StreamExit:
    """Translates the faults of an answer that is read piece by piece."""

    __slots__ = ("_hint", "_times")

    def __init__(self, hint: str, *, times: bool = True) -> None:
        """`times`: a TimeoutError is translated, too; else it passes to the layer that set the limit."""
        self._hint, self._times = hint, times

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _kind: type[BaseException] | None, fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(fault, FAULTS) and (self._times or not isinstance(fault, TimeoutError)):
            text = STOPPED if isinstance(fault, TimeoutError) else lost(fault)
            raise StreamCut(f"The stream was cut: {text}", hint=self._hint) from fault


def lost(fault: Exception) -> str:
    """Return a text for people that says how the connection was lost."""
    if isinstance(fault, Malformed):
        return str(fault)
    if isinstance(fault, ssl.SSLEOFError):
        return "the connection was cut"
    return f"the connection was lost: {getattr(fault, 'strerror', None) or fault}"


def identity_refused(fault: ssl.SSLError) -> TlsRefused:
    """Return the error for a refused client certificate; under TLS 1.3 the first read raises the alert."""
    return TlsRefused(
        f"The engine refused the TLS connection ({fault.reason or fault})",
        hint='Check tlsCertificate ("Client certificate") and tlsKey ("Client key"): the engine wants a client '
        "certificate that its CA signed "
        "and whose time is not over",
    )
