"""Storing what an engine gave as an attachment; what the storage says becomes an error that the policy can judge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lib.engine.errors import EngineError, OutcomeUnknown, Unreachable
from lib.sailor.errors import RequestError
from lib.sailor.transport import Storage


class StorageUnreachable(Unreachable):
    """The storage of attachments is away; what was asked of the engine, if anything, may be asked again."""


class NotStored(EngineError):
    """The storage of attachments refused what the engine gave."""


def store(
    storage: Storage,
    chunks: Iterable[bytes],
    *,
    content_type: str,
    size: int | None = None,
    repeatable: bool,
) -> dict[str, Any]:
    """Return the entry of a new attachment.

    Where the call to the engine is `repeatable`, a storage that is away is StorageUnreachable and one that refuses
    NotStored. After a process has run it is OutcomeUnknown: only its output is lost, and it must not run again.
    """
    try:
        return storage.store(chunks, content_type=content_type, size=size)
    except (RequestError, OSError) as fault:
        text = f"What the engine gave cannot be stored as an attachment: {fault}"
        if not repeatable:
            raise OutcomeUnknown(
                text, hint="The process has run; do not run it again for its output"
            ) from fault
        if isinstance(fault, RequestError) and fault.passing:
            raise StorageUnreachable(text) from fault
        raise NotStored(text) from fault
