"""Answers that are JSON and yet not what the operation answers: of a proxy, or of an engine of another kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lib.engine.errors import EngineFault


@contextmanager
def expected_form(status: int | None = None) -> Iterator[None]:
    """Raise EngineFault where the code inside, which takes answers apart, finds one to have another form.

    Also a decorator, for what does nothing else.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as fault:
        raise EngineFault(
            f"The engine's answer has not the form that was expected ({type(fault).__name__}: {str(fault)[:100]})",
            status=status,
            hint="Check that the address leads to a Docker Engine and that no proxy answers in its place",
        ) from fault
