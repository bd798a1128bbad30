from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput
from lib.engine.request.query import (
    as_json,
    build,
    filters,
    is_true,
    platform_json,
    repeated,
    repeated_platforms,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
SCALARS = st.one_of(TEXTS, st.booleans(), st.integers(-(1 << 63), (1 << 63) - 1))


def read(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query.removeprefix("?"), keep_blank_values=True)


def written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), SCALARS))
def test_scalars_arrive_as_they_are(fields: dict[str, Any]) -> None:
    expected = [(name, written(fields[name])) for name in "abc" if name in fields]
    assert read(build("abc", fields)) == expected


@given(st.lists(SCALARS))
def test_a_list_is_repeated_in_order(values: list[Any]) -> None:
    assert read(build([repeated("t")], {"t": values})) == [("t", written(value)) for value in values]


@given(TEXTS)
def test_one_text_stands_for_a_list_of_one(value: str) -> None:
    assert read(build([repeated("t")], {"t": value})) == [("t", value)]


JSON = st.recursive(
    st.one_of(st.none(), SCALARS),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON))
def test_a_json_value_is_one_parameter_in_both_forms(value: dict[str, Any]) -> None:
    for form in (value, json.dumps(value)):
        ((_, sent),) = read(build([as_json("labels")], {"labels": form}))
        assert json.loads(sent) == value


PLATFORM = {"os": "linux", "architecture": "arm64", "variant": "v8"}


@pytest.mark.parametrize("form", ["linux/arm64/v8", PLATFORM, json.dumps(PLATFORM), [PLATFORM]])
def test_a_platform_has_many_forms(form: Any) -> None:
    ((_, sent),) = read(build([platform_json()], {"platform": form}))
    assert json.loads(sent) == PLATFORM


@pytest.mark.parametrize(
    "form", ["/", "linux/", "linux//v8", "a/b/c/d", {}, {"os": ""}, {"architecture": "x"}, "{}", " "]
)
def test_a_platform_with_a_part_missing_is_refused(form: Any) -> None:
    """Fault 8.2: a delete of it would have been one of another variant, or of all."""
    for parameter in (platform_json(), repeated_platforms("platform")):
        with pytest.raises(BadInput, match="platform"):
            build([parameter], {"platform": form})
    with pytest.raises(BadInput, match="platforms"):
        build([repeated_platforms()], {"platforms": ["linux/arm64", form]})


def test_platforms_are_repeated() -> None:
    found = read(build([repeated_platforms()], {"platforms": ["linux/arm64", "linux/amd64"]}))
    assert [json.loads(sent)["architecture"] for _, sent in found] == ["arm64", "amd64"]


@pytest.mark.parametrize("value", [None, ""])
def test_what_is_not_given_is_left_out(value: Any) -> None:
    assert build(["a", filters(), repeated("t")], {"a": value, "filters": value, "t": value}) == ""


def test_a_dash_in_a_name_is_a_line_in_the_field() -> None:
    assert build(["one-shot"], {"one_shot": True}) == "?one-shot=true"


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("a", {}),
        ("a", []),
        ("a", 1.5),
        (repeated("a"), [{}]),
        (as_json("a"), "{bad"),
        (platform_json("a"), ["x", "y"]),
    ],
)
def test_what_fits_no_form_is_refused_by_name(parameter: Any, value: Any) -> None:
    with pytest.raises(BadInput) as caught:
        build([parameter], {"a": value})
    assert str(caught.value.field).startswith("a")


@pytest.mark.parametrize(("value", "true"), [(True, True), ("1", True), ("yes", True), (1, True)])
def test_what_the_engine_takes_for_true(value: Any, true: bool) -> None:
    assert is_true(value) is true


@pytest.mark.parametrize("value", [None, "", False, 0, "0", "no", "False", "none"])
def test_what_the_engine_takes_for_false(value: Any) -> None:
    assert is_true(value) is False
