"""Mappers between two steps of a flow: JSONata expressions make a body from earlier messages, as on the platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, Protocol

from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

_RESERVED = "elasticio"
_DEPTH_LIMIT = 32


class MappingError(Exception):
    """An expression does not compile, or fails on a message; the text names the mapped field."""


@dataclass(frozen=True)
class Nothing:
    """An expression that found nothing: its field ("" for a whole body) and its text."""

    field: str
    expression: str


class Mapper(Protocol):
    """Returns the body that is mapped from a payload; what found nothing is added to `nothing`."""

    def __call__(self, payload: Mapping[str, Any], nothing: list[Nothing] | None = None) -> Any: ...


Value = Callable[[Mapping[str, Any], dict[str, Any], list[Nothing]], Any]


class _Absent:
    """The result of an expression that finds nothing: its field is left out; null would be kept."""


def compile_mapper(mapper: Any, variables: Mapping[str, str] | None = None) -> Mapper:
    """Return a mapper: a callable that takes a message's payload and returns the mapped body.

    A text is one expression for the whole body. In an object or array each text is an expression, and other values
    stay as they are. Expressions can use the properties of the previous step's body, `elasticio` (earlier messages
    by step id), `body`, `headers`, `attachments` and `passthrough` (unless the body has a property of that name),
    `$getPassthrough()` and `$getFlowVariables()`. This function and the mapper raise MappingError.
    """
    value = _compiled(mapper, "", 0)
    flow_variables = dict(variables or {})

    def mapped(payload: Mapping[str, Any], nothing: list[Nothing] | None = None) -> Any:
        scope = _scope(payload)
        bindings = {
            "getPassthrough": _constant(scope[_RESERVED]),
            "getFlowVariables": _constant(flow_variables),
        }
        result = value(scope, bindings, [] if nothing is None else nothing)
        return {} if result is _Absent else result

    return mapped


def compile_condition(expression: str, variables: Mapping[str, str] | None = None) -> Mapper:
    """Return the condition of an edge: a mapper whose result for a payload counts as true or false in Python."""
    return compile_mapper(f"$boolean({expression})", variables)


def _constant(value: Any) -> Any:
    return Jsonata.JLambda(lambda: value)  # type: ignore[no-untyped-call]


def _scope(payload: Mapping[str, Any]) -> dict[str, Any]:
    body = payload.get("body")
    passthrough = payload.get("passthrough") or {}
    scope = {
        "body": body,
        "headers": payload.get("headers") or {},
        "attachments": payload.get("attachments") or {},
        "passthrough": passthrough,
    }
    if isinstance(body, dict):
        if _RESERVED in body:
            raise MappingError(
                f"the body has a property '{_RESERVED}', the name under which earlier steps are found"
            )
        scope.update(body)
    scope[_RESERVED] = passthrough
    return scope


def _compiled(mapper: Any, field: str, depth: int) -> Value:
    if depth > _DEPTH_LIMIT:
        raise MappingError(f"{field}: nested deeper than {_DEPTH_LIMIT} levels")
    if isinstance(mapper, str):
        return _expression(mapper, field)
    if isinstance(mapper, dict):
        return _object({key: _compiled(leaf, _inner(field, key), depth + 1) for key, leaf in mapper.items()})
    if isinstance(mapper, list):
        return _array([_compiled(leaf, f"{field}[{place}]", depth + 1) for place, leaf in enumerate(mapper)])
    return lambda _scope, _bindings, _nothing: mapper


def _object(leaves: Mapping[str, Value]) -> Value:
    def build(scope: Mapping[str, Any], bindings: dict[str, Any], nothing: list[Nothing]) -> Any:
        values = ((key, leaf(scope, bindings, nothing)) for key, leaf in leaves.items())
        return {key: value for key, value in values if value is not _Absent}

    return build


def _array(leaves: list[Value]) -> Value:
    def build(scope: Mapping[str, Any], bindings: dict[str, Any], nothing: list[Nothing]) -> Any:
        values = (leaf(scope, bindings, nothing) for leaf in leaves)
        return [value for value in values if value is not _Absent]

    return build


def _expression(text: str, field: str) -> Value:
    name = f"'{field}'" if field else "the mapper"
    try:
        compiled = Jsonata(text)
    except Exception as error:  # the library raises its own and Python's errors for a malformed text
        raise MappingError(f"{name} is no JSONata expression: {error} in {text!r}") from error
    compiled.set_output_convert_nulls(False)  # null and "nothing found" stay different

    def evaluate(scope: Mapping[str, Any], bindings: dict[str, Any], nothing: list[Nothing]) -> Any:
        try:
            with redirect_stdout(None):  # the library prints some of its errors
                found = compiled.evaluate(scope, bindings)
        except Exception as error:
            raise MappingError(f"{name} fails on this message: {error} in {text!r}") from error
        if found is None:
            nothing.append(Nothing(field, text))
            return _Absent
        return _plain(found, name)

    return evaluate


def _plain(value: Any, name: str) -> Any:
    """Return a result of the library as a JSON value of Python; MappingError when it is a function."""
    if value is Utils.NULL_VALUE:
        return None
    if isinstance(value, dict):
        return {key: _plain(item, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, name) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise MappingError(f"{name} yields a function, not a JSON value")


def _inner(field: str, key: str) -> str:
    return f"{field}.{key}" if field else key
