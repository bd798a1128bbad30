"""Query strings in the forms that the Engine API has (lib/metadata/facts/operations.json, key `wire`).

A handler names parameters as the API does; the input field is the same name with "_" for "-". Plain scalars are
written by default. Lists and objects need a Form, since the engine has three different ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from lib.engine.errors import BadInput
from lib.engine.request.filters import writer
from lib.engine.request.scalar import last_lines, scalar, size
from lib.engine.request.times import seconds_of
from lib.engine.text import encoded, parsed

__all__ = ["parsed"]


class Form(NamedTuple):
    """A query parameter that is not a plain scalar: its name in the API, and the function that writes its value."""

    name: str
    write: Callable[[Any, str], str | list[str]]
    filled: bool = False
    """Whether `write` gets an empty value, too, to refuse it."""


Parameter = str | Form


def filters(*, deletes: bool = False, flags: tuple[str, ...] = (), ignored: tuple[str, ...] = ()) -> Form:
    """Return the form of `filters`: one JSON object of string lists (lib.engine.request.filters).

    With `deletes`, filters that are given but empty are refused: the call would then select everything.
    """
    write = writer(deletes=deletes, flags=frozenset(flags), ignored=frozenset(ignored))
    return Form("filters", write, filled=deletes)


def repeated(name: str) -> Form:
    """Return the form name=a&name=b; a single value counts as a list of one."""
    return Form(name, lambda value, field: [scalar(item, field) for item in _list(value)])


def as_json(name: str) -> Form:
    """Return the form of one JSON document; a text is parsed as JSON first."""
    return Form(name, lambda value, field: _dumps(parsed(value, field), field))


def platform_json(name: str = "platform") -> Form:
    """Return the form {"os": .., "architecture": .., "variant": ..}; "linux/arm64/v8" is accepted, too.

    A list of one is accepted for ImageAttestations: its documents allow a list, its engine takes one platform.
    """
    return Form(name, lambda value, field: _dumps(_platform(_only(value), field), field))


def repeated_platforms(name: str = "platforms") -> Form:
    """Return a repeated parameter, each value a platform as JSON (ImageDelete)."""
    return Form(name, lambda value, field: [_dumps(_platform(item, field), field) for item in _list(value)])


def seconds(name: str) -> Form:
    """Return the form of Unix seconds with up to nine decimals; a value has any form of lib.engine.request.times."""
    return Form(name, seconds_of)


def whole(name: str) -> Form:
    """Return the form of a whole number from 0 up: engines misread a negative or overlong one."""
    return Form(name, size)


def lines(name: str) -> Form:
    """Return the form of a number of last lines, or "all"."""
    return Form(name, last_lines)


def build(parameters: Iterable[Parameter], fields: Mapping[str, Any]) -> str:
    """Return the query string with its "?", or "". Missing, null and empty values are left out. Raises BadInput.

    For a missing parameter the engine uses its default; an empty one would count as a value.
    """
    pairs: list[str] = []
    for parameter in parameters:
        name, write, filled = (parameter, scalar, False) if isinstance(parameter, str) else parameter
        field = name.replace("-", "_")
        value = fields.get(field)
        if (value is None or value == "") and not (filled and field in fields):
            continue
        written = write(value, field)
        pairs.extend(
            f"{name}={quote_plus(item)}" for item in ([written] if isinstance(written, str) else written)
        )
    return "?" + "&".join(pairs) if pairs else ""


def is_true(value: Any) -> bool:
    """Whether the engine reads a value as true: all but empty, 0, no, false and none."""
    return str(value or "").lower() not in ("", "0", "no", "false", "none")


def body_object(fields: Mapping[str, Any], field: str = "requestBody") -> dict[str, Any]:
    """Return the object that a body's field holds, directly or as JSON text; {} if there is none. Raises BadInput."""
    value = parsed(fields.get(field) or {}, field)
    if not isinstance(value, dict):
        raise BadInput(f"{field} must be an object", field=field)
    return value


def _dumps(value: Any, field: str) -> str:
    return encoded(value, field).decode()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _only(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _platform(value: Any, field: str) -> dict[str, Any]:
    names = ("os", "architecture", "variant")
    if isinstance(value, str) and not value.lstrip().startswith("{"):
        parts = value.strip().split("/")
        tree: Any = (
            dict(zip(names, parts, strict=False)) if "" not in parts and len(parts) <= len(names) else {}
        )
    else:
        tree = parsed(value, field)
    # Without `os` the engine reads another platform, for a delete perhaps all of them.
    if not isinstance(tree, dict) or not tree.get(names[0]):
        raise BadInput(f"{field} must be a platform such as linux/arm64", field=field)
    return tree
