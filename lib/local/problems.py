"""What a person at the command line did wrong, told as a sentence and a fix; it ends with exit code 2."""

from __future__ import annotations


class OutputClosed(KeyboardInterrupt):
    """Nobody reads the output any more; ends the run as Ctrl-C does, past everything that handles errors."""


class UsageError(Exception):
    """A command, option, file or value that cannot be worked with; `hint` says what to do instead."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class FlowProblems(UsageError):
    """All that is wrong with a flow file, each problem naming its node or edge."""

    def __init__(self, where: str, problems: list[str]) -> None:
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"{where} cannot be run:{lines}")
        self.problems = tuple(problems)
