"""What can go wrong in the runtime, by what the caller should do.

SailorError
├── SettingsError     the environment is wrong: correct the deployment, exit 1
├── ComponentError    component.json or its code is wrong: report, exit 1
├── InputError        this input cannot be read: report, reject, go on
├── TransportError    the way to the platform is gone: reconnect or exit 1
├── RequestError      an HTTP call of the platform failed (status None: no answer came)
│   └── StorageError  an object or attachment could not be read or written
└── EmitError         an emission was refused; the message will be rejected
    ├── EmissionTooLarge
    ├── EmittedAfterEnd
    ├── NoReplyAddress
    └── Undeliverable the transport gave up on it
"""

from __future__ import annotations

SERVER_ERROR = 500


class SailorError(Exception):
    """Root of everything the runtime raises itself."""


class SettingsError(SailorError):
    """An environment variable is missing or cannot be used."""


class ComponentError(SailorError):
    """The component's manifest, file or function cannot be loaded."""


class InputError(SailorError):
    """An incoming message cannot be decoded, or a part of it cannot be fetched."""


class TransportError(SailorError):
    """The transport cannot be opened, or lost what it needs to go on."""


class RequestError(SailorError):
    """A call of the platform's API failed; `status` is None when no answer came.

    `final` says that the fault is in what was asked: the same call fails again.
    """

    def __init__(self, text: str, status: int | None = None, *, final: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.final = final

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later: no answer came, or the server was at fault."""
        return not self.final and (self.status is None or self.status >= SERVER_ERROR)


class StorageError(RequestError):
    """An object or an attachment could not be read or written."""


class EmitError(SailorError):
    """An emission was refused or could not be delivered."""

    reported = False
    """True once an error event about it has been published, so that it is not published twice."""


class EmissionTooLarge(EmitError):
    """The encoded message exceeds OUTGOING_MESSAGE_SIZE_LIMIT."""


class EmittedAfterEnd(EmitError):
    """The message is finished already; nothing can be emitted for it any more."""


class NoReplyAddress(EmitError):
    """httpReply was emitted for a message that nobody waits for."""


class Undeliverable(EmitError):
    """The transport gave up: refused, returned as unroutable, or stopped before the confirm."""


def error_text(error: object) -> str:
    """Return what an exception says, or its name: some say nothing, and some fail when they are asked."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - an error must not be lost to its own text
        return type(error).__name__
