"""The objects that all inputs of one step share."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lib.sailor.message import headers
from lib.sailor.message.cipher import Cipher, Plain
from lib.sailor.message.object_references import ObjectReferences
from lib.sailor.settings import Settings
from lib.sailor.step.encoder import Encoder
from lib.sailor.step.snapshot import Snapshot
from lib.sailor.step.throttle import Throttle
from lib.sailor.transport import Kind, Transport


class Accounts(Protocol):
    """The platform's API for updateKeys; `keys` are refreshed credentials (protocol 5.7)."""

    def update_account(self, account: str, keys: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class StepResources:
    """Everything that the emitters of one step share: transport, cipher, encoder, snapshot, rate limits, headers."""

    settings: Settings
    transport: Transport
    cipher: Cipher = field(default_factory=Plain)
    snapshot: Snapshot = field(default_factory=Snapshot)
    passthrough: bool = False
    accounts: Accounts | None = None
    account: str | None = None
    throttles: Mapping[Kind, Throttle] = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        object.__setattr__(self, "identity", headers.identity(self.settings))
        references = ObjectReferences(self.settings, self.transport, self.cipher)
        object.__setattr__(self, "references", references)
        encoder = Encoder(self.settings, self.cipher, references, self.passthrough)
        object.__setattr__(self, "encoder", encoder)

    identity: dict[str, Any] = field(init=False, repr=False)
    references: ObjectReferences = field(init=False, repr=False)
    encoder: Encoder = field(init=False, repr=False)

    def throttle(self, kind: Kind) -> None:
        """Wait until the rate limit of a kind allows one more publish, or until the step is cancelled."""
        if (throttle := self.throttles.get(kind)) is not None:
            throttle.wait(self.cancelled)


def throttles(settings: Settings) -> dict[Kind, Throttle]:
    """Return the rate limit of each kind that has one (protocol 3.5)."""
    return {
        Kind.DATA: Throttle(settings.data_rate_limit, settings.rate_interval),
        Kind.ERROR: Throttle(settings.error_rate_limit, settings.rate_interval),
        Kind.SNAPSHOT: Throttle(settings.snapshot_rate_limit, settings.rate_interval),
    }
