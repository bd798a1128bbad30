"""The errors of the engine client, sorted by what the caller should do about them.

EngineError
├── BadInput             refused before a byte was sent: a field is missing, unknown or malformed
│   └── VersionMismatch  the engine's API version cannot serve the operation, the field or the pin
├── ReadOnly             a write under a read-only credential, refused before a byte was sent
├── Unreachable          no connection: nothing was sent, so every call may be repeated
│   ├── TlsRefused       TLS failed: certificate, host name, client certificate, or plain HTTP
│   ├── ProxyRefused     the proxy on the way refused: its login, its rules, or it is none
│   └── SshRefused       SSH failed: host key, user, private key, or no SSH server
├── NoAnswer             a read was sent and its answer is missing or cut: it may be repeated
│   ├── TimedOut         it did not come in time: later rather than at once
│   └── StreamCut        a stream ended in the middle
├── OutcomeUnknown       a write was sent and its answer is missing: look before you repeat it
├── LimitReached         the step's own limit on items, bytes or seconds stopped the work
├── StreamFailed         the engine reported a failure inside a stream that began with success
└── Refused              the engine answered with a status that is no success
    ├── Redirected       3xx: the address is another one; redirections are not followed
    ├── Unauthorized     401, 403: the registry, or a proxy before the engine, refused the call
    ├── NotFound         404: no such object
    │   └── NoSuchOperation  404: no such operation on this engine, or behind this address
    ├── Conflict         409: the object's present state forbids it
    ├── Busy             429, or a 503 with Retry-After: nothing was done, a later call may work
    ├── NoManager        503: no swarm manager here
    └── EngineFault      any other 5xx
        └── NotSupported     501: this engine's configuration or driver will never do it

Some statuses mislead: `lib.engine.http.known_refusals` lists texts that decide before the status.
"""

from __future__ import annotations

from typing import ClassVar

LONGEST_TEXT = 2_000
"""Characters of a text from outside that an error may repeat."""


def shortened(text: str) -> str:
    """Return a text from outside as an error may repeat it: its beginning, if it is long."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} ..."


class EngineError(Exception):
    """Base of all errors of this package; `str()` is a sentence for users.

    `status`, `method` and `path` name the call that failed, `hint` says what to try next. `retriable` says that the
    same call may be sent again without harm. `run` is the mark of what the call was to make, where it had one.
    """

    retriable: ClassVar[bool] = False
    run: str | None = None

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        method: str | None = None,
        path: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.method = method
        self.path = path
        self.hint = hint

    def __str__(self) -> str:
        call = " ".join(str(part) for part in (self.status, self.method, self.path) if part is not None)
        text = f"{self.message} [{call}]" if call else self.message
        return f"{text}. {self.hint}" if self.hint else text


class BadInput(EngineError):
    """The message cannot be turned into a request; `field` names the input that has to change."""

    def __init__(self, message: str, *, field: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.field = field


class VersionMismatch(BadInput):
    """The API versions that the engine speaks and those that the call needs do not overlap."""


class ReadOnly(EngineError):
    """The credential allows reads only and the operation writes."""


class Unreachable(EngineError):
    """No connection to the engine; nothing was sent."""

    retriable = True


class TlsRefused(Unreachable):
    """The TLS handshake failed or the other side does not speak TLS; repeating it changes nothing."""

    retriable = False


class ProxyRefused(Unreachable):
    """The proxy on the way to the engine refused to connect; repeating it changes nothing."""

    retriable = False


class SshRefused(Unreachable):
    """The SSH server is not the one that is known, or refuses the login; repeating it changes nothing."""

    retriable = False


class NoAnswer(EngineError):
    """A read was sent, its answer did not arrive whole."""

    retriable = True


class TimedOut(NoAnswer):
    """A read was sent, its answer did not arrive in time."""


class StreamCut(NoAnswer):
    """A stream ended too early; `records` counts the records that arrived whole."""

    def __init__(
        self,
        message: str,
        *,
        records: int = 0,
        method: str | None = None,
        path: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, method=method, path=path, hint=hint)
        self.records = records


class OutcomeUnknown(EngineError):
    """A write was sent and the connection was lost: it may or may not have taken effect."""


class LimitReached(EngineError):
    """A limit ended the work; `limit` is its name, mostly that of the step's setting."""

    def __init__(self, message: str, *, limit: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.limit = limit


class StreamFailed(EngineError):
    """The engine answered 200 and reported a failure inside the stream; `step` is the build step or layer."""

    def __init__(
        self,
        message: str,
        *,
        step: str | None = None,
        code: int | None = None,
        method: str | None = None,
        path: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, status=code, method=method, path=path, hint=hint)
        self.step = step


class Refused(EngineError):
    """The engine answered with a status that is no success; `message` is the engine's own text."""


class Redirected(Refused):
    """3xx: the server's address has to be changed; redirections are not followed."""


class Unauthorized(Refused):
    """401 or 403."""


class NotFound(Refused):
    """404: no such object."""


class NoSuchOperation(NotFound):
    """404 for the path itself: it says nothing about the object."""


class Conflict(Refused):
    """409: the object's present state forbids it."""


class Busy(Refused):
    """429, or 503 with Retry-After: refused before any work. `retry_after` is in seconds, None if not given."""

    retriable = True
    retry_after: float | None = None


class NoManager(Refused):
    """503: this engine is not (or not now) a swarm manager."""


_LEADERLESS = ("does not have a leader", "code = DeadlineExceeded", "code = Unavailable")


class EngineFault(Refused):
    """5xx: the engine failed, or reports a caller's mistake as its own fault."""

    @property
    def outdated(self) -> bool:
        """Whether another client changed the swarm object in the meantime (`update out of sequence`)."""
        return "out of sequence" in self.message

    @property
    def leaderless(self) -> bool:
        """Whether too few managers of the swarm are online at present, or one of them does not answer the others."""
        return any(text in self.message for text in _LEADERLESS)


class NotSupported(EngineFault):
    """501: the engine, its configuration or a driver cannot do it; the same call fails again."""
