"""Lists of messages as tables: which columns, which rows, and what the note under a table says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.local.output.columns import Column, declared, named, plain, value_at

RESULTS = "results"
_EMPTY: tuple[Any, ...] = (None, [], {}, "")
_PLAIN = 6
"""Columns of a list for which nothing is declared."""
_NAMED = 8
"""Names in a note, at most."""


@dataclass(frozen=True)
class View:
    """What people ask for: columns by path or title (None: those of the schema), and everything, not cut."""

    columns: tuple[str, ...] | None = None
    wide: bool = False


@dataclass(frozen=True)
class Listing:
    """One list as a table; `missing` are asked columns that no item has."""

    name: str
    columns: tuple[Column, ...]
    items: Sequence[Any]
    missing: tuple[str, ...] = ()

    @property
    def rows(self) -> list[tuple[str, ...]]:
        return [tuple(column.cell(item) for column in self.columns) for item in self.items]

    def left_out(self, shown: int) -> list[str]:
        """Return the keys of the items that none of the first `shown` columns shows, and the columns beyond."""
        paths = [column.path for column in self.columns[:shown]]
        keys = dict.fromkeys(key for item in self.items if isinstance(item, dict) for key in item)
        covered = {path if path in keys else path.partition(".")[0] for path in paths}
        return [
            *(column.title for column in self.columns[shown:]),
            *(key for key in keys if key not in covered),
        ]


def listings(body: Any, schema: Mapping[str, Any], view: View) -> list[Listing]:
    """Return the lists of a body that are shown as tables: those with declared columns, and `results` of any step."""
    if not isinstance(body, dict):
        return []
    properties = schema.get("properties")
    nodes = properties if isinstance(properties, Mapping) else {}
    found = []
    for name, items in body.items():
        columns = declared(nodes.get(name))
        alone = not any(value not in _EMPTY for value in body.values())
        if (
            not (columns or name == RESULTS)
            or not isinstance(items, list)
            or not (items or (columns and alone))
        ):
            continue
        if columns or all(isinstance(item, dict) for item in items):
            found.append(_listing(name, columns, items, view))
    return [listing for listing in found if listing.columns]


def row_columns(body: Any, schema: Mapping[str, Any], view: View) -> tuple[Column, ...]:
    """Return the columns in which a message is one row: it is an item of its own, as those of triggers are."""
    properties = schema.get("properties")
    nodes = properties if isinstance(properties, Mapping) else {}
    known = declared(schema) or next((found for node in nodes.values() if (found := declared(node))), ())
    if not isinstance(body, dict):
        return ()
    if view.columns is not None:
        asked = named(view.columns, known)
        return asked if any(column.fits([body]) for column in asked) else ()
    if not known or not any(column.fits([body]) for column in known):
        return ()
    return _wide(known, [body]) if view.wide else tuple(column for column in known if not column.wide)


def _listing(name: str, known: tuple[Column, ...], items: Sequence[Any], view: View) -> Listing:
    if view.columns is not None:
        asked = named(view.columns, known)
        missing = tuple(column.path for column in asked if items and not column.fits(items))
        if len(missing) < len(asked) or not items:
            return Listing(name, asked, items, missing)
        return Listing(name, _usual(known, items), items, missing)
    return Listing(name, _wide(known, items) if view.wide else _usual(known, items), items)


def _usual(known: tuple[Column, ...], items: Sequence[Any]) -> tuple[Column, ...]:
    """Return the declared columns that any item has: an engine leaves out what nobody asked it for."""
    columns = tuple(column for column in known if not column.wide)
    if not items:
        return columns
    there = tuple(column for column in columns if column.fits(items))
    return there or plain([item for item in items if isinstance(item, dict)], _PLAIN)


def _wide(known: tuple[Column, ...], items: Sequence[Any]) -> tuple[Column, ...]:
    there = tuple(column for column in known if not items or column.fits(items))
    covered = {column.path.partition(".")[0] for column in there}
    others = plain([item for item in items if isinstance(item, dict)], None)
    return there + tuple(column for column in others if column.path not in covered)


def rest_of(body: Mapping[str, Any], shown: Sequence[Listing]) -> dict[str, Any]:
    """Return what of a body its tables do not show and what says something."""
    names = {listing.name for listing in shown}
    return {key: value for key, value in body.items() if key not in names and value not in _EMPTY}


def note(listing: Listing, widths: Sequence[int], cut: Sequence[str]) -> str:
    """Return the line under a table: how many items, what is left out, what is cut, what was not found."""
    count = len(listing.items)
    parts = ["1 item" if count == 1 else f"{count} items"]
    if left := listing.left_out(len(widths)):
        parts.append(f"not shown: {_some(left)}")
    if cut:
        parts.append(f"cut: {_some(cut)}")
    if left or cut:
        parts.append("see --wide, --columns and --json")
    parts += [f"no item has {path}{_near(path, listing.items)}" for path in listing.missing[:_NAMED]]
    return "; ".join(parts)


def _near(path: str, items: Sequence[Any]) -> str:
    from difflib import get_close_matches

    place, _, last = path.rpartition(".")
    around = [value_at(item, place) for item in items[:_NAMED]]
    keys = dict.fromkeys(key for one in around if isinstance(one, dict) for key in one)
    near = get_close_matches(last, keys, n=1) or [key for key in keys if key.lower() == last.lower()]
    return f" (did you mean {place}{'.' if place else ''}{near[0]}?)" if near else ""


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(str(name)[:40] for name in names[:_NAMED])
    more = len(names) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
