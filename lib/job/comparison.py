"""What an object is compared with what it shall be: only parts that are given count, and each difference is told.

A difference is {path, before, after, effect}: `effect` is what has to happen to take it away, such as `recreate`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lib import jsontext
from lib.engine import Fields
from lib.engine.errors import BadInput
from lib.engine.text import parsed
from lib.job.repeat import PREFIX

RECREATE, UPDATE = "recreate", "update"
Difference = dict[str, Any]
_SHOWN = 100  # characters of a value in a sentence


def difference(path: str, before: Any, after: Any, effect: str = RECREATE) -> Difference:
    """Return one difference."""
    return {"path": path, "before": before, "after": after, "effect": effect}


def of_values(given: Mapping[str, Any], told: Mapping[str, Any], effect: str = RECREATE) -> list[Difference]:
    """Compare values by path; what is given as None is not compared."""
    return [
        difference(path, told.get(path), value, effect)
        for path, value in given.items()
        if value is not None and told.get(path) != value
    ]


def of_maps(
    path: str, given: Mapping[str, str] | None, told: Mapping[str, Any] | None, effect: str = RECREATE
) -> list[Difference]:
    """Compare the given keys of an object of texts; a key that is not there was null before."""
    found = of_values(given or {}, told or {}, effect)
    return [{**one, "path": f"{path}.{one['path']}"} for one in found]


def texts(fields: Fields, name: str) -> dict[str, str] | None:
    """Return a field that is an object of texts, None where it is left out; numbers and booleans become texts."""
    value = parsed(fields.get(name), name) if fields.get(name) is not None else None
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadInput(f"{name} must be an object", field=name)
    return {key: _text(f"{name}.{key}", item) for key, item in value.items() if item is not None}


def shown(differences: Iterable[Difference]) -> str:
    """Return differences as a sentence has them: "labels.env is test, not prod"."""
    return "; ".join(
        f"{one['path']} is {_short(one['before'])}, not {_short(one['after'])}" for one in differences
    )


def foreign(labels: Mapping[str, str] | None) -> dict[str, str]:
    """Return labels without those that jobs write."""
    return {key: value for key, value in (labels or {}).items() if not key.startswith(PREFIX)}


def _text(path: str, value: Any) -> str:
    if isinstance(value, dict | list):
        raise BadInput(f"{path} must be a text", field=path)
    return value if isinstance(value, str) else jsontext.encode(value).decode()


def _short(value: Any) -> str:
    if value is None:
        return "missing"
    text = value if isinstance(value, str) else jsontext.encode(value).decode()
    return f"{text[:_SHOWN]} ..." if len(text) > _SHOWN else text or '""'
