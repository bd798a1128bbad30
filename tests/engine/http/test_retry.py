from __future__ import annotations

import threading

import pytest

from lib.engine.errors import (
    BadInput,
    Busy,
    Conflict,
    EngineError,
    EngineFault,
    NoAnswer,
    NoManager,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    StreamCut,
    TlsRefused,
    Unreachable,
)
from lib.engine.http.retry import Retry, worth_repeating


def busy(seconds: float) -> Busy:
    error = Busy("x", status=429)
    error.retry_after = seconds
    return error


QUICK = Retry(attempts=3, first=0.001)
FAULT = EngineFault("x", status=500)
# Error, whether a read, whether a write is sent again.
PHASES = [
    (Unreachable("x"), True, True),
    (TlsRefused("x"), False, False),
    (NoAnswer("x"), True, False),
    (StreamCut("x"), True, False),
    (OutcomeUnknown("x"), False, False),
    (FAULT, True, False),
    (EngineFault("x", status=502), True, False),
    (EngineFault("x", status=504), True, False),
    (EngineFault("x", status=501), False, False),
    (EngineFault("x", status=503), True, False),
    (NotSupported("x", status=501), False, False),
    (Busy("x", status=429), False, False),
    (busy(0), True, True),
    (busy(31), False, False),
    (NoManager("x", status=503), False, False),
    (NotFound("x", status=404), False, False),
    (Conflict("x", status=409), False, False),
    (BadInput("x"), False, False),
]


@pytest.mark.parametrize(("error", "read", "write"), PHASES, ids=lambda value: type(value).__name__)
def test_what_is_repeated_depends_on_how_far_the_call_came(
    error: EngineError, read: bool, write: bool
) -> None:
    assert worth_repeating(error, reads=True) is read
    assert worth_repeating(error, reads=False) is write
    for reads, again in ((True, read), (False, write)):
        calls: list[int] = []

        def call(calls: list[int] = calls) -> None:
            calls.append(1)
            raise error

        with pytest.raises(type(error)):
            QUICK.run(call, reads=reads, cancelled=threading.Event())
        assert len(calls) == (3 if again else 1)


def test_a_call_that_works_in_the_end_is_a_success() -> None:
    errors: list[Exception] = [Unreachable("x"), NoAnswer("x")]

    def call() -> str:
        if errors:
            raise errors.pop()
        return "done"

    assert QUICK.run(call, reads=True, cancelled=threading.Event()) == "done"


def test_shutting_down_ends_it_after_the_call_that_is_under_way() -> None:
    """Fault 8.34: there is no further call after the cancel."""
    cancelled, calls = threading.Event(), []
    cancelled.set()

    def call() -> None:
        calls.append(1)
        raise Unreachable("x")

    with pytest.raises(Unreachable):
        Retry(attempts=5, first=60).run(call, reads=True, cancelled=cancelled)
    assert len(calls) == 1
