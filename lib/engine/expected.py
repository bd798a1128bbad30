"""Answers that are JSON but not of the operation's form: from a proxy, or from another kind of engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lib.engine.errors import EngineFault


@contextmanager
def expected_form(status: int | None = None) -> Iterator[None]:
    """Raise EngineFault if the code inside the block finds an answer of another form than it expects.

    It translates the LookupError, TypeError, AttributeError, ValueError or ArithmeticError that such code raises. It
    also works as a decorator.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as fault:
        raise EngineFault(
            f"The engine's answer has not the form that was expected ({type(fault).__name__}: {str(fault)[:100]})",
            status=status,
            hint="Check that the address leads to a Docker Engine and that no proxy answers in its place",
        ) from fault
