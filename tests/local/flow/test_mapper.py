from __future__ import annotations

from typing import Any

import pytest

from lib.local.flow.mapper import MappingError, compile_condition, compile_mapper

MESSAGE: dict[str, Any] = {
    "body": {
        "container": {"name": "web", "ports": [{"n": 80}, {"n": 443}]},
        "nothing": None,
        "big": 1700000000123456789,
    },
    "headers": {"h": "v"},
    "attachments": {"a.tar": {"url": "u"}},
    "passthrough": {"step_1": {"body": {"event": "die"}}},
}


def mapped(mapper: Any) -> Any:
    return compile_mapper(mapper)(MESSAGE)


def test_every_text_in_an_object_is_an_expression_over_the_previous_body() -> None:
    assert mapped({"id": "container.name", "deep": {"ports": "container.ports.n"}}) == {
        "id": "web",
        "deep": {"ports": [80, 443]},
    }


def test_an_array_is_mapped_place_by_place() -> None:
    assert mapped({"names": ["container.name", "'fixed'", 3]}) == {"names": ["web", "fixed", 3]}


def test_one_expression_maps_the_whole_body() -> None:
    assert mapped('{"id": container.name & "!"}') == {"id": "web!"}


def test_what_is_no_text_stands_for_itself() -> None:
    assert mapped({"tail": 5, "all": True, "none": None}) == {"tail": 5, "all": True, "none": None}


def test_earlier_steps_are_found_by_their_id() -> None:
    assert mapped({"event": "elasticio.step_1.body.event"}) == {"event": "die"}
    assert mapped({"event": "$getPassthrough().step_1.body.event"}) == {"event": "die"}


def test_the_parts_of_the_message_have_names_of_their_own() -> None:
    assert mapped({"b": "body.container.name", "h": "headers.h", "a": 'attachments."a.tar".url'}) == {
        "b": "web",
        "h": "v",
        "a": "u",
    }


def test_a_property_of_the_body_goes_before_a_part_of_the_message() -> None:
    mapper = compile_mapper({"value": "headers"})

    assert mapper({"body": {"headers": "mine"}, "headers": {"h": "v"}}) == {"value": "mine"}


def test_flow_variables_are_at_hand() -> None:
    mapper = compile_mapper({"team": "$getFlowVariables().team"}, {"team": "blue"})

    assert mapper(MESSAGE) == {"team": "blue"}


def test_what_is_not_found_is_left_out_and_null_stays() -> None:
    assert mapped({"missing": "no.such.thing", "null": "nothing", "list": ["no", "nothing"]}) == {
        "null": None,
        "list": [None],
    }


def test_nanoseconds_keep_all_their_digits() -> None:
    assert mapped({"big": "big"}) == {"big": 1700000000123456789}


@pytest.mark.parametrize(
    ("mapper", "field"),
    [({"to": "info@example.org"}, "'to'"), ({"a": {"b": ["x &"]}}, "'a.b[0]'"), ("(", "the mapper")],
)
def test_a_wrong_expression_is_refused_with_its_field(mapper: Any, field: str) -> None:
    with pytest.raises(MappingError, match="no JSONata expression") as caught:
        compile_mapper(mapper)

    assert field in str(caught.value)


def test_an_expression_that_fails_on_a_message_names_its_field(capfd: pytest.CaptureFixture[str]) -> None:
    mapper = compile_mapper({"id": "$nosuch(container)"})

    with pytest.raises(MappingError, match="'id' fails on this message"):
        mapper(MESSAGE)
    assert capfd.readouterr() == ("", "")


def test_an_expression_that_yields_a_function_is_refused() -> None:
    with pytest.raises(MappingError, match="yields a function"):
        mapped({"id": "$string"})


def test_a_body_that_hides_earlier_steps_is_refused() -> None:
    mapper = compile_mapper({"id": "elasticio.step_1"})

    with pytest.raises(MappingError, match="'elasticio'"):
        mapper({"body": {"elasticio": 1}})


def test_nesting_without_end_is_refused() -> None:
    mapper: Any = "x"
    for _ in range(40):
        mapper = [mapper]

    with pytest.raises(MappingError, match="nested deeper"):
        compile_mapper(mapper)


@pytest.mark.parametrize(
    ("condition", "passes"),
    [("container.name = 'web'", True), ("container.name = 'db'", False), ("no.such", False)],
)
def test_a_condition_is_true_or_false(condition: str, passes: bool) -> None:
    assert bool(compile_condition(condition)(MESSAGE)) is passes
