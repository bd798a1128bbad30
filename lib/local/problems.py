"""Errors of the person at the command line; the text names the fault and the remedy. The exit code is 2."""

from __future__ import annotations


class OutputClosed(KeyboardInterrupt):
    """The reader of the output has closed it; as a KeyboardInterrupt it passes all handlers of `Exception`."""


class UsageError(Exception):
    """A command, option, file or value cannot be used; `hint` is a sentence about what to do instead."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class FlowProblems(UsageError):
    """A flow file cannot be run; each of the `problems` names its node or edge."""

    def __init__(self, where: str, problems: list[str]) -> None:
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"{where} cannot be run:{lines}")
        self.problems = tuple(problems)
