"""Writes whose answer may be lost: the job looks whether they took effect, which an operation has to leave open."""

from __future__ import annotations

from collections.abc import Callable

from lib.engine.errors import NoSuchOperation, NotFound, OutcomeUnknown


def sent(write: Callable[[], object], took_effect: Callable[[], bool]) -> None:
    """Send a write. Raises OutcomeUnknown only where its answer is lost and a look shows no effect."""
    try:
        write()
    except OutcomeUnknown:
        if not took_effect():
            raise


def removed(delete: Callable[[], object], is_gone: Callable[[], bool]) -> None:
    """Delete something; that it is gone already is as good."""
    try:
        sent(delete, is_gone)
    except NoSuchOperation:
        raise
    except NotFound:
        return
