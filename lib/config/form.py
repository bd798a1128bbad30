"""Reads typed values from the configuration of a step: texts, flags, lists of words, choices and numbers.

In the configuration each value is a text, a list of texts or a boolean. A value that cannot be read raises BadInput; it
names the field, its label and what is possible.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from lib.engine.errors import BadInput

Form = Mapping[str, Any]

_ON, _OFF = frozenset({"true", "on", "yes", "1"}), frozenset({"false", "off", "no", "0", ""})
# Less than Python's float() reads: 1_000, nan and infinity are taken as mistakes.
_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?", re.ASCII)
_SHOWN = 40  # upper bound of the characters of a value that an error repeats; a longer one may be a secret


class Labelled(dict[str, Any]):
    """A form with the labels of its fields."""

    def __init__(self, values: Form, labels: Mapping[str, str]) -> None:
        super().__init__(values)
        self.labels = labels


def wrong(form: Form, name: str, problem: str, hint: str | None = None) -> BadInput:
    """Return the BadInput for a field, with its label if the form has labels."""
    label = form.labels.get(name) if isinstance(form, Labelled) else None
    return BadInput(
        f'{name} ("{label}"): {problem}' if label else f"{name}: {problem}", field=name, hint=hint
    )


def shown(value: str) -> str:
    """Return a value for the text of an error, in quotes and at most _SHOWN characters long."""
    return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "...")


def meant(value: str, possible: Iterable[str]) -> str:
    """Return "Did you mean x? " if a value is spelt like a possible one, else ""."""
    import difflib  # imported late: most processes never see a wrong value

    lower = {one.casefold(): one for one in possible}
    close = difflib.get_close_matches(value[:100].casefold(), lower, n=1, cutoff=0.6)
    return f"Did you mean {lower[close[0]]}? " if close else ""


def text(form: Form, name: str) -> str:
    """Return a text field without the blanks around it, "" if it is empty; raises BadInput for a list or object."""
    value = form.get(name)
    if value is None:
        return ""
    if isinstance(value, (list, dict)):
        raise wrong(
            form, name, f"must be one value, not {'a list' if isinstance(value, list) else 'an object'}"
        )
    return str(value).strip()


def flag(form: Form, name: str) -> bool:
    """Return whether a check box is ticked; the platform sends true, "on" or nothing. Raises BadInput."""
    value = text(form, name).lower()
    if value not in _ON and value not in _OFF:
        raise wrong(form, name, f"{shown(value)} is not possible. Write true or false")
    return value in _ON


def words(form: Form, name: str) -> tuple[str, ...]:
    """Return the entries of a multi-select, or of a text with commas or line breaks, without empty ones.

    Raises BadInput for anything else.
    """
    value = form.get(name)
    if value is None:
        return ()
    parts = value if isinstance(value, list) else text(form, name).replace("\n", ",").split(",")
    if any(isinstance(part, list | dict) for part in parts):
        raise wrong(form, name, "must be a list of texts")
    return tuple(entry for part in parts if part is not None and (entry := str(part).strip()))


def choice(form: Form, name: str, allowed: tuple[str, ...]) -> str:
    """Return the chosen one of `allowed`, the first of them if the field is empty; raises BadInput."""
    value = text(form, name)
    if not value:
        return allowed[0]
    if value not in allowed:
        among(form, name, (value,), allowed)
    return value


def among(form: Form, name: str, values: Iterable[str], allowed: Collection[str]) -> None:
    """Raise BadInput if one of `values` is not in `allowed`."""
    for value in values:
        if value not in allowed:
            told = f"{meant(value, allowed)}Choose one of: {', '.join(allowed)}"
            raise wrong(form, name, f"{shown(value)} is not possible. {told}")


def number(form: Form, name: str, default: float, *, least: float = 0, most: float = float("inf")) -> float:
    """Return a finite number from `least` to `most`, `default` if the field is empty; raises BadInput."""
    written = text(form, name)
    if not written:
        return float(default)
    if not _NUMBER.fullmatch(written):
        raise wrong(form, name, f"{shown(written)} is no number. Write one such as {default or 1:g}")
    value = float(written)
    if not least <= value <= most or value == float("inf"):
        bounds = f"at least {least:g}" if most == float("inf") else f"from {least:g} to {most:g}"
        raise wrong(form, name, f"{shown(written)} is out of range. Write a number {bounds}")
    return value


def whole(form: Form, name: str, default: int, *, least: int = 0, most: int = 1 << 53) -> int:
    """Return a whole number from `least` to `most`, `default` if the field is empty; raises BadInput."""
    value = number(form, name, default, least=least, most=most)
    if not value.is_integer():
        raise wrong(form, name, f"{value:g} is no whole number")
    return int(value)
