"""The field `settings`: a body of ContainerCreate from outside, checked as that operation checks its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib.action.input.field_names import listed
from lib.action.input.validation import validator
from lib.action.schemas import SCHEMAS
from lib.engine.errors import BadInput
from lib.engine.text import parsed, shown

Tree = dict[str, Any]
_FIELD, _BODY = "settings", "requestBody"
_DEEPEST = 32
"""Levels of objects and lists in one another; a create body has nine at most."""
_LARGEST = (1 << 63) - 1
_REFUSED = {
    "Image": "Give it as image",
    "HostConfig.AutoRemove": "A container that removes itself cannot be ensured",
}


def create_body(fields: Mapping[str, Any]) -> Tree:
    """Return the field, its names spelt as the Engine API spells them; raises BadInput that names what is wrong.

    Names that the API does not have pass below the top level, for the engine may be newer. Cmd and Entrypoint may be
    a text, which is one word.
    """
    value = parsed(fields.get(_FIELD) or {}, _FIELD)
    if not isinstance(value, dict):
        raise BadInput(f"{_FIELD} must be an object, not {shown(value)}", field=_FIELD)
    _check_values(value)
    schema = validator(SCHEMAS / "ContainerCreate.in.json")
    whole, problems = schema.settled({_BODY: {"Image": "-", **value}}, unknown=True)
    if problems:
        named = [replace(one, field=one.field.replace(_BODY, _FIELD, 1)) for one in problems]
        raise BadInput(listed(named), field=named[0].field, hint=named[0].hint or None)
    body: Tree = whole[_BODY]
    _check(body, given_image="Image" in value)
    for name in ("Cmd", "Entrypoint"):
        if isinstance(body.get(name), str):
            body[name] = [body[name]]  # engines from 29 on take lists alone
    return {name: item for name, item in body.items() if name != "Image"}


def _check(body: Tree, *, given_image: bool) -> None:
    wrong = {
        "Image": given_image,
        "HostConfig.AutoRemove": bool((body.get("HostConfig") or {}).get("AutoRemove")),
    }
    for path in (path for path, bad in wrong.items() if bad):
        place = f"{_FIELD}.{path}"
        raise BadInput(f"{place} cannot be given", field=place, hint=_REFUSED[path])


def _check_values(body: Tree) -> None:
    """Raise BadInput for a body that is nested too deeply, or holds a number that no engine can read."""
    level: list[Any] = [body]
    for _ in range(_DEEPEST):
        items = [one.values() if isinstance(one, Mapping) else one for one in level]
        level = [value for values in items for value in values]
        if any(isinstance(one, int | float) and abs(one) > _LARGEST for one in level):
            raise BadInput(f"{_FIELD} holds a number too large for the engine (63 bits)", field=_FIELD)
        level = [one for one in level if isinstance(one, Mapping | list)]
    if level:
        raise BadInput(f"{_FIELD} is nested more than {_DEEPEST} levels deep", field=_FIELD)
