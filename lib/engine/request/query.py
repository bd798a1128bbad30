"""Query strings in the wire forms that the Engine API has (operations.json, key `wire`).

A handler names parameters by their wire names; the input field is the same name with "-" as "_". Plain
scalars need no more; lists and objects say their form, since the engine has three different ones.
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
    """A query parameter whose value is no plain scalar: its wire name and how a value is written."""

    name: str
    write: Callable[[Any, str], str | list[str]]
    filled: bool = False
    """Whether an empty value goes to `write` too, which then refuses it."""


Parameter = str | Form


def filters(*, deletes: bool = False, flags: tuple[str, ...] = (), ignored: tuple[str, ...] = ()) -> Form:
    """Return the form of `filters`: one JSON object of string lists (see lib.engine.request.filters).

    With `deletes` filters that are given and empty are refused: left out, they would mean everything.
    """
    write = writer(deletes=deletes, flags=frozenset(flags), ignored=frozenset(ignored))
    return Form("filters", write, filled=deletes)


def repeated(name: str) -> Form:
    """Return the form name=a&name=b; one text stands for a list of one."""
    return Form(name, lambda value, field: [scalar(item, field) for item in _list(value)])


def as_json(name: str) -> Form:
    """Return the form of one JSON document; a text is taken as JSON and sent on as such."""
    return Form(name, lambda value, field: _dumps(parsed(value, field), field))


def platform_json(name: str = "platform") -> Form:
    """Return the form {"os": .., "architecture": .., "variant": ..}; "linux/arm64/v8" is taken as well.

    A list of one is taken for ImageAttestations, whose documents allow a list and whose engine takes one.
    """
    return Form(name, lambda value, field: _dumps(_platform(_only(value), field), field))


def repeated_platforms(name: str = "platforms") -> Form:
    """Return a repeated parameter, each value a platform as JSON (ImageDelete)."""
    return Form(name, lambda value, field: [_dumps(_platform(item, field), field) for item in _list(value)])


def seconds(name: str) -> Form:
    """Return the form of Unix seconds with up to nine decimals, from a time in any form of lib.engine.request.times."""
    return Form(name, seconds_of)


def whole(name: str) -> Form:
    """Return the form of a whole number from 0 up: engines read a negative or overlong one as something else."""
    return Form(name, size)


def lines(name: str) -> Form:
    """Return the form of a number of last lines, or all of them."""
    return Form(name, last_lines)


def build(parameters: Iterable[Parameter], fields: Mapping[str, Any]) -> str:
    """Return the query string with its "?", or "". Missing, null and empty values are left out.

    What is left out gets the engine's default; what is empty would be taken as a value.
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
    """Whether the engine takes a value for true (wire form bool): all but empty, 0, no, false and none."""
    return str(value or "").lower() not in ("", "0", "no", "false", "none")


def body_object(fields: Mapping[str, Any], field: str = "requestBody") -> dict[str, Any]:
    """Return the object that a body's field holds, as itself or as text; {} where there is none."""
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
    # Without its name a platform stands for another one, on a delete perhaps for all.
    if not isinstance(tree, dict) or not tree.get(names[0]):
        raise BadInput(f"{field} must be a platform such as linux/arm64", field=field)
    return tree
