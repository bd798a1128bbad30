"""A command as a list of words. A text is split by the rules of a shell and given to none."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.scalar import scalar
from lib.engine.text import parsed, plain

_SIGNS = ("&&", "||", "|", ";", "<", ">", "$(", "`")
"""What only a shell understands, where it stands outside of quotes."""
_REMEDY = 'write ["sh", "-c", "..."] where a shell shall read it'


def words(value: Any, field: str, warn: Callable[[str], None]) -> list[str] | None:
    """Return the words of a command, None where none is given.

    A list, or the JSON text of one, is taken as it is. Any other text is split at blanks outside of quotes; signs and
    variables of a shell in it mean nothing, which `warn` says. Raises BadInput for quotes that do not end.
    """
    if value is None or value in ("", []):
        return None
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return _split(plain(value, field), field, warn)
    found = parsed(value, field)
    if not isinstance(found, list):
        raise BadInput(f"{field} must be a list or a text", field=field)
    return [scalar(word, f"{field}[{number}]") for number, word in enumerate(found)]


def _split(text: str, field: str, warn: Callable[[str], None]) -> list[str]:
    try:
        found = shlex.split(text)
    except ValueError as fault:
        raise BadInput(f"{field}: {fault}", field=field, hint="Or give a list of words") from None
    if signs := _for_a_shell(text):
        warn(f"{field}: no shell reads {' '.join(signs)} here; {_REMEDY}")
    return found


def _for_a_shell(text: str) -> list[str]:
    """Return the signs of a shell that stand outside of quotes, and variables outside of single ones."""
    bare, loose, quote, skip = [], [], "", False
    for character in text:
        if skip:
            skip, character = False, " "  # noqa: PLW2901 - what a backslash takes its meaning from
        elif character == "\\" and quote != "'":
            skip = True
        elif quote:
            if character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        bare.append(" " if quote else character)
        loose.append(" " if quote == "'" else character)
    found = [sign for sign in _SIGNS if sign in "".join(bare)]
    found = [sign for sign in found if sign != "|" or "||" not in found]
    return found + _variables("".join(loose))


def _variables(text: str) -> list[str]:
    rest = (part for part in text.split("$")[1:])
    return ["$NAME"] if any(part[:1].isalpha() or part[:1] in ("_", "{") for part in rest) else []
