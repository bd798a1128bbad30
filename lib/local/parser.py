"""An argument parser that says what was probably meant; it ends the process with exit code 2 for wrong arguments."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

_CHOICE = re.compile(r"invalid choice: '([^']*)'")


class Parser(argparse.ArgumentParser):
    """As argparse has it, with "Did you mean" for commands and options."""

    def read(self, arguments: Sequence[str] | None = None) -> argparse.Namespace:
        """Return the options of a command line, by default that of the process."""
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            parser = self.commands().get(getattr(options, "command", None) or "", self)
            near = [found for word in unknown if (found := _near(word.partition("=")[0], parser.options()))]
            parser._refuse(f"unrecognized arguments: {' '.join(unknown)}", near)  # noqa: SLF001 - of this class
        return options

    def options(self) -> list[str]:
        return list(self._option_string_actions)

    def error(self, message: str) -> NoReturn:
        """End the process; a wrong command is told with the one that is like it."""
        wrong = _CHOICE.search(message)
        near = _near(wrong[1], self.commands()) if wrong else ""
        self._refuse(message, [near] if near else [])

    def commands(self) -> dict[str, Parser]:
        """Return the parsers of the commands by name."""
        actions = self._subparsers._group_actions if self._subparsers else []  # noqa: SLF001 - argparse has no way
        return dict(actions[0].choices or {}) if actions else {}

    def _refuse(self, message: str, near: Sequence[str]) -> NoReturn:
        hint = f". Did you mean {', '.join(dict.fromkeys(near))}?" if near else ""
        super().error(f"{message}{hint}")


def _near(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # late: only where something is wrong

    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), "")
