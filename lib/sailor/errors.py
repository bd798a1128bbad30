"""The errors of the runtime, sorted by what the caller should do.

SailorError
├── SettingsError     the environment is wrong: correct the deployment, exit 1
├── ComponentError    component.json or its code is wrong: report, exit 1
├── InputError        this input cannot be read: report, reject, go on
├── TransportError    the broker cannot be reached or refuses: reconnect or exit 1
├── RequestError      an HTTP call failed (status None: no answer came)
│   └── StorageError  an object or attachment could not be read or written
└── EmitError         an emission was refused; the message will be rejected
    ├── EmissionTooLarge  emit smaller messages
    ├── EmittedAfterEnd   emit before the function returns
    ├── NoReplyAddress    emit replies only for inputs with reply_to
    └── Undeliverable     the broker did not take it: check queues and routing keys
"""

from __future__ import annotations

SERVER_ERROR = 500


class SailorError(Exception):
    """Root of all errors that the runtime raises itself."""


class SettingsError(SailorError):
    """An environment variable is missing or cannot be used."""


class ComponentError(SailorError):
    """The component's manifest, file or function cannot be loaded."""


class InputError(SailorError):
    """An incoming message cannot be decoded, or a part of it cannot be fetched."""


class TransportError(SailorError):
    """The transport cannot be opened, or cannot go on: its queue is gone."""


class RequestError(SailorError):
    """An HTTP call of the runtime failed; `status` is the HTTP status, None when no answer came.

    `final` is True when the request itself is wrong: the same call fails again.
    """

    def __init__(self, text: str, status: int | None = None, *, final: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.final = final

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later: no answer came, or the status was 500 or above."""
        return not self.final and (self.status is None or self.status >= SERVER_ERROR)


class StorageError(RequestError):
    """An object or an attachment could not be read or written."""


class EmitError(SailorError):
    """An emission was refused or could not be delivered."""

    reported = False
    """Whether it was published as an error already, so that it is not published twice."""


class EmissionTooLarge(EmitError):
    """The encoded message has more bytes than OUTGOING_MESSAGE_SIZE_LIMIT (protocol 1.2)."""


class EmittedAfterEnd(EmitError):
    """The input has ended; nothing can be emitted for it any more (protocol D-30)."""


class NoReplyAddress(EmitError):
    """httpReply was emitted for an input without reply_to (protocol 5.8)."""


class Undeliverable(EmitError):
    """The transport gave up: the broker refused or returned the publish, or the step ended before the confirm."""


def error_text(error: object) -> str:
    """Return the text of an exception; the name of its class where the text is empty or `str` itself fails."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - the name of its class is better than nothing
        return type(error).__name__
