"""Stores an engine's answer as an attachment. Errors of the storage become EngineErrors, for errorPolicy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lib.engine.errors import EngineError, OutcomeUnknown, Unreachable
from lib.sailor.errors import RequestError
from lib.sailor.transport import Storage


class StorageUnreachable(Unreachable):
    """The storage of attachments does not answer; a call to the engine, if there was one, may be repeated."""


class NotStored(EngineError):
    """The storage of attachments refused the engine's answer."""


def store(
    storage: Storage,
    chunks: Iterable[bytes],
    *,
    content_type: str,
    size: int | None = None,
    repeatable: bool,
) -> dict[str, Any]:
    """Store `chunks` and return the entry of the new attachment for a message; `size` in bytes, None if unknown.

    Raises StorageUnreachable if the storage does not answer, NotStored if it refuses. If the call to the engine is not
    `repeatable` (a process has run), raises OutcomeUnknown instead: the output is lost, and the process must not run
    again.
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
