"""Query strings in the wire forms that the Engine API has (operations.json, key `wire`).

A handler names parameters by their wire names; the input field is the same name with "-" as "_". Plain
scalars need no more; lists and objects say their form, since the engine has three different ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from lib.engine.errors import BadInput

_SECONDS = re.compile(r"-?\d+(\.\d{1,9})?")


class Form(NamedTuple):
    """A query parameter whose value is no plain scalar: its wire name and how a value is written."""

    name: str
    write: Callable[[Any, str], str | list[str]]


Parameter = str | Form


def scalar(value: Any, field: str) -> str:
    """Write a boolean as true/false, a whole number in decimals, text as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    raise BadInput(f"{field} must be a single text, number or boolean", field=field)


def filters(name: str = "filters") -> Form:
    """Return the form of `filters`: one JSON object of string lists; single values become lists of one."""
    return Form(name, _filters)


def repeated(name: str) -> Form:
    """Return the form name=a&name=b; one text stands for a list of one."""
    return Form(name, lambda value, field: [scalar(item, field) for item in _list(value)])


def as_json(name: str) -> Form:
    """Return the form of one JSON document; a text is taken as JSON and sent on as such."""
    return Form(name, lambda value, field: _dumps(parsed(value, field)))


def platform_json(name: str = "platform") -> Form:
    """Return the form {"os": .., "architecture": .., "variant": ..}; "linux/arm64/v8" is taken as well.

    A list of one is taken for ImageAttestations, whose documents allow a list and whose engine takes one.
    """
    return Form(name, lambda value, field: _dumps(_platform(_only(value), field)))


def repeated_platforms(name: str = "platforms") -> Form:
    """Return a repeated parameter, each value a platform as JSON (ImageDelete)."""
    return Form(name, lambda value, field: [_dumps(_platform(item, field)) for item in _list(value)])


def seconds(name: str) -> Form:
    """Return the form of Unix seconds with up to nine decimals; an ISO 8601 time is turned into it."""
    return Form(name, _seconds)


def build(parameters: Iterable[Parameter], fields: Mapping[str, Any]) -> str:
    """Return the query string with its "?", or "". Missing, null and empty values are left out.

    Left out means the engine's default (shapes.json, general, query).
    """
    pairs: list[str] = []
    for parameter in parameters:
        name, write = (parameter, scalar) if isinstance(parameter, str) else parameter
        field = name.replace("-", "_")
        value = fields.get(field)
        if value is None or value == "":
            continue
        written = write(value, field)
        pairs.extend(
            f"{name}={quote_plus(item)}" for item in ([written] if isinstance(written, str) else written)
        )
    return "?" + "&".join(pairs) if pairs else ""


def is_true(value: Any) -> bool:
    """Whether the engine takes a value for true (wire form bool): all but empty, 0, no, false and none."""
    return str(value or "").lower() not in ("", "0", "no", "false", "none")


def parsed(value: Any, field: str) -> Any:
    """Return the JSON value that a field holds, as itself or as text; bad JSON is a BadInput."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as fault:
        raise BadInput(f"{field} is no valid JSON ({fault})", field=field) from None


def body_object(fields: Mapping[str, Any], field: str = "requestBody") -> dict[str, Any]:
    """Return the object that a body's field holds, as itself or as text; {} where there is none."""
    value = parsed(fields.get(field) or {}, field)
    if not isinstance(value, dict):
        raise BadInput(f"{field} must be an object", field=field)
    return value


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _filters(value: Any, field: str) -> str:
    tree = parsed(value, field)
    if not isinstance(tree, dict):
        raise BadInput(f'{field} must be an object such as {{"status": ["exited"]}}', field=field)
    written = {}
    for key, item in tree.items():
        # {"exited": {"0": true}} is the form of engines before 1.10; the keys are the values.
        values = list(item) if isinstance(item, dict) else _list(item)
        written[key] = [scalar(one, f"{field}.{key}") for one in values if one is not None]
    return _dumps({key: values for key, values in written.items() if values})


def _only(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _platform(value: Any, field: str) -> dict[str, Any]:
    if isinstance(value, str) and not value.lstrip().startswith("{"):
        names = ("os", "architecture", "variant")
        return dict(zip(names, value.split("/"), strict=False))
    tree = parsed(value, field)
    if not isinstance(tree, dict):
        raise BadInput(f"{field} must be a platform such as linux/arm64", field=field)
    return tree


def _seconds(value: Any, field: str) -> str:
    text = scalar(value, field) if not isinstance(value, float) else f"{value:.9f}".rstrip("0").rstrip(".")
    if _SECONDS.fullmatch(text):
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"{field}: {text!r} is no time",
            field=field,
            hint="Give Unix seconds (1700000000.5) or an ISO time (2026-01-31T12:00:00Z)",
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return f"{moment.timestamp():.6f}"
