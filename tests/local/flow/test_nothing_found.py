"""A mapping that finds nothing is told with its field, and with what there is in its place."""

from __future__ import annotations

from typing import Any

import pytest

from lib.local.flow.mapper import Nothing, compile_mapper
from lib.local.flow.nothing_found import told

PAYLOAD: dict[str, Any] = {
    "body": {"Id": "1", "Config": {"Env": []}},
    "passthrough": {"make": {"body": {"Name": "x"}}},
}


def test_a_mapper_names_each_expression_that_found_nothing() -> None:
    nothing: list[Nothing] = []
    body = compile_mapper({"id": "Id", "deep": {"list": ["Idd", "'x'"]}, "no": "elasticio.make.body.X"})(
        PAYLOAD, nothing
    )

    assert body == {"id": "1", "deep": {"list": ["x"]}}
    assert nothing == [Nothing("deep.list[0]", "Idd"), Nothing("no", "elasticio.make.body.X")]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("id", "a has Id, Config; did you mean Id?"),
        ("body.Idd", "a has Id, Config; did you mean Id?"),
        ("Config.Envv[0]", "a.Config has Env; did you mean Env?"),
        ("elasticio.make.body.name", "make has Name; did you mean Name?"),
        ("elasticio.nosuch.body.name", "found nothing with 'elasticio.nosuch.body.name'"),
        ("elasticio", "found nothing with 'elasticio'; a has Id, Config"),
        ("$f(1)[", "found nothing with '$f(1)['; a has Id, Config"),
        ("", "found nothing with ''"),
    ],
)
def test_the_nearest_keys_are_told(expression: str, said: str) -> None:
    line = told(Nothing("x", expression), "a", "b", PAYLOAD)

    assert line.startswith("a -> b: 'x' found nothing")
    assert line.endswith(said)


@pytest.mark.parametrize("body", [None, [], "text", {}, {"k" * 900: 1}, dict.fromkeys(map(str, range(999)))])
def test_any_body_gives_a_short_line(body: Any) -> None:
    assert len(told(Nothing("", "Id"), "a", "b", {"body": body})) < 300
