"""Conditions on fields of objects, and how values of different types compare.

A value of the object that is a number is compared as a number, one that is a time as a time, anything else as text. A
path leads through objects by their keys, also those with dots in them (labels), and through lists to all their items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.times import instant, moment
from lib.engine.text import parsed

SAME, OTHER, LIKE, IN = "=", "≠", "like", "in"
_SPELLED = {"==": SAME, "!=": OTHER, "<>": OTHER, "<=": "≤", ">=": "≥"}
CONDITIONS = (SAME, OTHER, "<", "≤", ">", "≥", LIKE, IN)
MOST_TERMS = 100
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{1,20}(?:[Zz]|[+-][0-9:]{2,6})?")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: `field` is name, id, label, image, a flat field or a path; `value` a text, number or list."""

    field: str
    condition: str
    value: Any

    def __str__(self) -> str:
        return f"{self.field} {self.condition} {self.value}"

    @property
    def values(self) -> Sequence[str]:
        """The values that are compared with: several for `in`, one for the others."""
        if self.condition != IN:
            return (text_of(self.value),)
        many = self.value if isinstance(self.value, list) else text_of(self.value).split(",")
        return tuple(text_of(one).strip() for one in many)

    def holds(self, found: Sequence[Any]) -> bool:
        """Whether one of the values that an object has in the field fits; for ≠, whether none is equal."""
        if self.condition in (SAME, IN):
            return any(_equal(one, wanted) for one in found for wanted in self.values)
        if self.condition == OTHER:
            return not any(_equal(one, wanted) for one in found for wanted in self.values)
        if self.condition == LIKE:
            return any(fnmatchcase(text_of(one), self.values[0]) for one in found)
        return any(_ordered(one, self.condition, self.value) for one in found)


def terms_of(written: Any) -> list[Term]:
    """Read the field `terms`: a list of {field, condition, value}, or its JSON text. Raises BadInput."""
    items = parsed(written or [], "terms")
    if not isinstance(items, list) or len(items) > MOST_TERMS:
        raise BadInput(f"terms must be a list of at most {MOST_TERMS} conditions", field="terms")
    return [_term(item, f"terms[{place}]") for place, item in enumerate(items)]


def _term(item: Any, place: str) -> Term:
    if not isinstance(item, Mapping) or not str(item.get("field") or "").strip():
        raise BadInput(f"{place} must be an object with field, condition and value", field="terms")
    condition = str(item.get("condition") or SAME)
    condition = _SPELLED.get(condition, condition)
    if condition not in CONDITIONS:
        raise BadInput(f"{place}.condition must be one of {', '.join(CONDITIONS)}", field="terms")
    value = item.get("value")
    # A mapper leaves nothing where it found nothing; as a condition that would select what nobody meant.
    if value is None or value in ("", []) or isinstance(value, dict):
        raise BadInput(f"{place}.value must be a text, a number or a list of them", field="terms")
    if isinstance(value, list) and condition != IN:
        raise BadInput(f"{place}.value may be a list for the condition in only", field="terms")
    return Term(str(item["field"]).strip(), condition, value)


def values_at(thing: Any, path: str) -> list[Any]:
    """Return the values at a path such as State.Status, Config.Labels.com.example.team or Mounts.Name."""
    return [one for one in _at(thing, path.split(".")) if not isinstance(one, Mapping)]


def _at(thing: Any, steps: Sequence[str]) -> Iterator[Any]:
    if isinstance(thing, list):
        for one in thing:
            yield from _at(one, steps)
    elif not steps:
        yield thing
    elif isinstance(thing, Mapping):
        for length in range(len(steps), 0, -1):
            key = ".".join(steps[:length])
            if key in thing:
                yield from _at(thing[key], steps[length:])
                return


def text_of(value: Any) -> str:
    """Return a scalar as text: true and false as JSON writes them, nothing as ""."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _equal(one: Any, wanted: str) -> bool:
    if isinstance(one, int | float) and not isinstance(one, bool) and _NUMBER.fullmatch(wanted):
        return float(one) == float(wanted)
    return text_of(one) == wanted


def _ordered(one: Any, condition: str, wanted: Any) -> bool:
    pair = _comparable(one, wanted)
    if pair is None:
        return False
    left, right = pair
    match condition:
        case "<":
            return bool(left < right)
        case "≤":
            return bool(left <= right)
        case ">":
            return bool(left > right)
    return bool(left >= right)


def _comparable(one: Any, wanted: Any) -> tuple[Any, Any] | None:
    """Return both as numbers, as nanoseconds or as texts; None where they have no order."""
    text = text_of(one)
    if _TIME.fullmatch(text):
        right = moment(wanted, "terms")
        try:
            return instant(text, "terms"), right
        except BadInput:  # never: the engine's year 1
            return None
    if _NUMBER.fullmatch(text):
        return (float(text), float(text_of(wanted))) if _NUMBER.fullmatch(text_of(wanted)) else None
    return (text, text_of(wanted)) if isinstance(one, str) and text else None
