"""The parameter `filters`: one JSON object of string lists, from the forms in which flows give it.

If a filter is lost or misread, a prune deletes too much. So each form has one meaning or is refused, and only calls
that delete nothing accept an empty one.

    "label": "env=test"    "label": ["env=test", "team"]    "label": {"env": "test", "team": true}
    "status": "exited"     "status": ["exited", "dead"]     "status": {"exited": true}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from lib.engine.errors import BadInput
from lib.engine.request.scalar import scalar
from lib.engine.request.times import moment_or_span
from lib.engine.text import encoded, named, parsed, plain, shown

# For all operations: the keys whose values are "key" or "key=value", and those whose value is a time.
LABELS = frozenset({"label", "label!", "node.label"})
TIMES = frozenset({"until", "unused-for"})
_HINT = "Leave filters out to mean all of them, or give each filter a value"


class Writer(Protocol):
    """Turns the field's value into the parameter's text; raises BadInput."""

    def __call__(self, value: Any, field: str) -> str: ...


def writer(
    *, deletes: bool, flags: frozenset[str] = frozenset(), ignored: frozenset[str] = frozenset()
) -> Writer:
    """Return the function that writes the filters of one operation.

    `deletes`: empty filters are refused. `flags` are filters without a value: `{"private": true}` sets one, and it is
    sent with an empty list. `ignored` are filters that engines accept and ignore: they are refused.
    """

    def write(value: Any, field: str) -> str:
        if deletes:
            refuse_empty(value, field)
        tree = _tree(value, field)
        for key in ignored & tree.keys():
            raise BadInput(
                f"{field}.{key}: engines take this filter here and overlook it, so it would select everything",
                field=f"{field}.{key}",
                hint="Select in another way",
            )
        written = {key: _values(key, item, named(field, key), flags) for key, item in tree.items()}
        kept = {key: values for key, values in written.items() if values or key in flags}
        return encoded(kept, field).decode()

    return write


def refuse_empty(value: Any, field: str = "filters") -> None:
    """Raise BadInput if the filters of a call that deletes are empty, or hold an empty key or value."""
    places = list(empty_places(value, field))
    if places:
        raise BadInput(
            f"{places[0]} is empty, which would select more than was meant; nothing was sent",
            field=places[0],
            hint=_HINT,
        )


def empty_places(value: Any, field: str = "filters") -> Iterator[str]:
    """Yield the name of each place in filters where a value is missing: "filters", "filters.label"."""
    if _is_empty(value):
        yield field
        return
    tree = parsed(value, field)
    if not tree:
        yield field
    for key, item in tree.items() if isinstance(tree, dict) else ():
        place = named(field, key)
        if _is_empty(key) or _is_empty(item):
            yield place
        elif isinstance(item, dict):
            yield from (named(place, name) for name, one in item.items() if _is_empty(name) or _is_empty(one))
        elif any(_is_empty(one) or (key in LABELS and _is_half(one)) for one in _list(item)):
            yield place


def _is_empty(value: Any) -> bool:
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def _is_half(value: Any) -> bool:
    """Whether a label's key or value is missing, as in "env=": a mapper expression that finds nothing writes this."""
    key, equals, text = value.partition("=") if isinstance(value, str) else ("", "", "")
    return bool(equals) and not (key.strip() and text.strip())


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _tree(value: Any, field: str) -> dict[str, Any]:
    tree = parsed(value, field)
    if not isinstance(tree, dict):
        raise BadInput(f'{field} must be an object such as {{"status": ["exited"]}}', field=field)
    return tree


def _values(key: str, item: Any, place: str, flags: frozenset[str]) -> list[str]:
    plain(key, place)
    if key in flags:
        return _flag(item, place)
    if isinstance(item, dict):
        if key in LABELS:
            return [_label(name, one, place) for name, one in item.items()]
        return [_member(key, name, one, place) for name, one in item.items()]
    values = [one for one in _list(item) if one is not None]
    if key in LABELS:
        return [_label_text(one, place) for one in values]
    if key in TIMES:
        return [moment_or_span(one, place) for one in values]
    return [scalar(one, place) for one in values]


def _label(name: str, value: Any, place: str) -> str:
    """Return {"env": "test"} as env=test; {"env": true}, or {"env=test": true} as in older engines, as the key."""
    plain(name, place)
    if value is True:
        return name
    whole = isinstance(value, int) and not isinstance(value, bool)
    if "=" not in name and (isinstance(value, str) or whole):
        return f"{name}={scalar(value, named(place, name))}"
    where = named(place, name)
    raise BadInput(
        f"{where}: {_kind(value)} is not understood",
        field=where,
        hint='Write {"key": "value"}, {"key": true} for any value of the key, or a list of texts ["key=value"]',
    )


def _label_text(value: Any, place: str) -> str:
    if isinstance(value, str) and value.lstrip()[:1] not in ("{", "["):
        return plain(value, place)
    raise BadInput(
        f"{place}: {_kind(value)} is no label",
        field=place,
        hint='Write ["key=value"], ["key"] or {"key": "value"}',
    )


def _member(key: str, name: str, value: Any, place: str) -> str:
    """Return the value in {"exited": true}, the form of engines before 1.10: the name is the value."""
    if value is True:
        return moment_or_span(name, place) if key in TIMES else plain(name, place)
    where = named(place, name)
    raise BadInput(
        f"{where}: {_kind(value)} is not understood",
        field=where,
        hint=f'Write a list of values: {{"{place.partition(".")[2]}": ["value"]}}',
    )


def _flag(item: Any, place: str) -> list[str]:
    if all(one is True or str(one).lower() in ("true", "1") for one in _list(item)):
        return []
    raise BadInput(
        f"{place}: {_kind(item)} is not understood",
        field=place,
        hint="This filter has no value: write true, or leave it out",
    )


def _kind(value: Any) -> str:
    """Describe a value in an error: a short text or number, or its type."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return shown(value)
