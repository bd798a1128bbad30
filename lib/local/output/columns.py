"""Which columns a table has: those that `x-columns` of an out-schema declares, or paths that people name.

A schema may be that of any component: what it declares wrongly is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.local.output.forms import formatted

MARK = "x-columns"
_MOST = 60
"""Columns of a table, at most."""
_DEEPEST = 20
_SCANNED = 200
"""Items that are looked at for their keys."""


@dataclass(frozen=True)
class Column:
    """One column: `path` is its place in an item, `values` are texts for the numbers 0, 1 and so on."""

    title: str
    path: str
    form: str = "text"
    values: tuple[str, ...] = ()
    wide: bool = False

    def cell(self, item: Any) -> str:
        value = value_at(item, self.path)
        if self.values and type(value) is int and 0 <= value < len(self.values):
            return self.values[value]
        return formatted(self.form, value)

    def fits(self, items: Sequence[Any]) -> bool:
        """Return whether any item has a value here."""
        return any(value_at(item, self.path) is not None for item in items)


def declared(node: Any) -> tuple[Column, ...]:
    """Return the columns that a schema node declares."""
    listed = node.get(MARK) if isinstance(node, Mapping) else None
    found = [_column(entry) for entry in listed[:_MOST]] if isinstance(listed, list) else []
    return tuple(column for column in found if column)


def _column(entry: Any) -> Column | None:
    if not isinstance(entry, Mapping):
        return None
    title, path, form = entry.get("title"), entry.get("path"), entry.get("form", "text")
    if not all(isinstance(one, str) and one for one in (title, path, form)):
        return None
    values = entry.get("values")
    texts = tuple(map(str, values)) if isinstance(values, list) else ()
    return Column(str(title), str(path), str(form), texts, entry.get("wide") is True)


def named(paths: Iterable[str], known: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns that people name, by path or by title; a path that is not declared is a text."""
    by_name = {name.lower(): column for column in reversed(known) for name in (column.title, column.path)}
    return tuple(by_name.get(path.lower()) or Column(path, path) for path in paths)


def plain(items: Sequence[Mapping[str, Any]], most: int | None) -> tuple[Column, ...]:
    """Return a column for each key of the items whose values are no objects, at most `most`."""
    keys = dict.fromkeys(key for item in items[:_SCANNED] for key in item)
    flat = [
        key for key in keys if not any(_is_nested(item.get(key)) for item in items[:_SCANNED] if key in item)
    ]
    return tuple(Column(key, key) for key in flat[: most or _MOST])


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(one, dict | list) for one in value[:_SCANNED])
    )


def value_at(item: Any, path: str, depth: int = _DEEPEST) -> Any:
    """Return the value at a path such as `Spec.Name`, None where there is none.

    A key may have dots itself (labels do). Of a list, a number is the item at that place, and any other name is asked
    of all items.
    """
    if not path or depth == 0:
        return item if not path else None
    if isinstance(item, list):
        return _of_list(item, path, depth)
    if not isinstance(item, Mapping):
        return None
    # The whole path may be a key, and so may each beginning of it.
    starts = [len(path), *(number for number, letter in enumerate(path) if letter == ".")]
    place = next((start for start in starts if path[:start] in item), 0)
    return value_at(item[path[:place]], path[place + 1 :], depth - 1) if place else None


def _of_list(items: list[Any], path: str, depth: int) -> Any:
    first, _, rest = path.partition(".")
    if first.isascii() and first.isdigit() and len(first) < _DEEPEST:
        return value_at(items[int(first)], rest, depth - 1) if int(first) < len(items) else None
    found = [value_at(one, path, depth - 1) for one in items[:_SCANNED] if not isinstance(one, list)]
    return [one for one in found if one is not None] or None
