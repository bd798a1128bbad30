"""Faults 8.1 and 8.2: what `filters` means in each form, and which forms are refused."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput
from lib.engine.request.filters import LABELS, TIMES, empty_places
from lib.engine.request.query import Form, build, filters
from lib.metadata.facts import load

READS, DELETES = filters(), filters(deletes=True)
CACHE = filters(deletes=True, flags=("inuse", "private"), ignored=("label", "label!"))


def sent(tree: Any, form: Form = DELETES) -> dict[str, list[str]]:
    ((_, text),) = parse_qsl(build([form], {"filters": tree}).removeprefix("?"))
    return json.loads(text)  # type: ignore[no-any-return]


def tried(form: Form, tree: Any) -> dict[str, list[str]] | BadInput:
    try:
        return {} if tree in (None, "") and form is READS else sent(tree, form)
    except BadInput as fault:
        return fault


@pytest.mark.parametrize("key", sorted(LABELS))
@pytest.mark.parametrize(
    ("value", "means"),
    [
        ({"env": "test"}, ["env=test"]),
        ({"env": "test", "team": "shop"}, ["env=test", "team=shop"]),
        ({"env": "a=b"}, ["env=a=b"]),
        ({"replicas": 3}, ["replicas=3"]),
        ({"env": True}, ["env"]),
        ({"env=test": True}, ["env=test"]),
        ({"env=test": True, "team": "shop"}, ["env=test", "team=shop"]),
        (["env=test", "team"], ["env=test", "team"]),
        ("env=test", ["env=test"]),
        ("env", ["env"]),
    ],
)
def test_a_label_keeps_its_value_in_each_form(key: str, value: Any, means: list[str]) -> None:
    """Fault 8.1: {"label": {"env": "test"}} lost the value and selected by the key alone."""
    for form in (READS, DELETES):
        assert sent({key: value}, form) == {key: means}
        assert sent(json.dumps({key: value}), form) == {key: means}


@pytest.mark.parametrize(
    ("tree", "field"),
    [
        ({"label": {"env": False}}, "filters.label.env"),
        ({"label": {"env": 1.5}}, "filters.label.env"),
        ({"label": {"env": ["a", "b"]}}, "filters.label.env"),
        ({"label": {"env": {"x": True}}}, "filters.label.env"),
        ({"label": {"env=test": "x"}}, "filters.label.env=test"),
        ({"label": {"env=test": False}}, "filters.label.env=test"),
        ({"label": True}, "filters.label"),
        ({"label": 5}, "filters.label"),
        ({"label": [{"env": "test"}]}, "filters.label"),
        ({"label": [["env=test"]]}, "filters.label"),
        ({"label": '{"env": "test"}'}, "filters.label"),
        ({"label!": ['["keep"]']}, "filters.label!"),
        ({"status": {"exited": "yes"}}, "filters.status.exited"),
        ({"status": {"exited": False}}, "filters.status.exited"),
        ({"status": {"exited": {"0": True}}}, "filters.status.exited"),
        ({"status": [{}]}, "filters.status"),
        ({"filters": {"label": ["a"]}}, "filters.filters.label"),
        ('{"label": "a=b", "label": "c=d"}', "filters"),
        ('{"exited": NaN}', "filters"),
        ('{"exited": 1e999}', "filters"),
        ("[" * 100_000, "filters"),
        ("label=env", "filters"),
        (["label=env"], "filters"),
        ('"label"', "filters"),
        ({"label": "\ud800"}, "filters.label"),
        ({"\ud800": "a"}, "filters.\\ud800"),
        ({"label": {"\ud800": "a"}}, "filters.label"),
        ({"name": "a\0b"}, "filters.name"),
        ({"exited": 10**5000}, "filters.exited"),
    ],
    ids=lambda _: "case",
)
def test_what_has_no_sure_meaning_is_refused_by_name(tree: Any, field: str) -> None:
    """Fault 8.1: a form that could mean two things, or would lose a part, is refused and nothing is sent."""
    for form in (READS, DELETES):
        with pytest.raises(BadInput) as caught:
            build([form], {"filters": tree})
        assert caught.value.field == field
        assert str(caught.value).isprintable()


def test_the_older_form_of_other_filters_is_kept() -> None:
    assert sent({"exited": {"0": True, "1": True}}) == {"exited": ["0", "1"]}
    assert sent({"dangling": True, "exited": 0, "stars": 3.0}) == {
        "dangling": ["true"],
        "exited": ["0"],
        "stars": ["3"],
    }


EMPTY = [
    (None, "filters"),
    ("", "filters"),
    ("  ", "filters"),
    ("null", "filters"),
    ({}, "filters"),
    ([], "filters"),
    ("{}", "filters"),
    (" {} ", "filters"),
    ({"label": None}, "filters.label"),
    ({"label": []}, "filters.label"),
    ({"label": {}}, "filters.label"),
    ({"label": ""}, "filters.label"),
    ({"label": " \n"}, "filters.label"),
    ({"label": [""]}, "filters.label"),
    ({"label": ["a=b", None]}, "filters.label"),
    ({"label": ["a=b", ""]}, "filters.label"),
    ({"label!": ["env="]}, "filters.label!"),
    ({"label": "=test"}, "filters.label"),
    ({"label": {"env": ""}}, "filters.label.env"),
    ({"label": {"env": None}}, "filters.label.env"),
    ({"label": {"": "test"}}, "filters.label."),
    ({"label": ["a=b"], "until": None}, "filters.until"),
    ({"": ["a"]}, "filters."),
    ({"until": [[]]}, "filters.until"),
    ('{"label": null}', "filters.label"),
    ('{"label": {"env": ""}}', "filters.label.env"),
]


@pytest.mark.parametrize(("tree", "field"), EMPTY)
def test_an_empty_filter_of_a_call_that_deletes_is_refused(tree: Any, field: str) -> None:
    """Fault 8.2: it was left out, and the prune deleted everything."""
    with pytest.raises(BadInput) as caught:
        build([DELETES], {"filters": tree})
    assert caught.value.field == field
    assert next(empty_places(tree)) == field


def test_missing_filters_may_mean_all() -> None:
    assert build([DELETES], {}) == ""
    assert build([READS], {"filters": None}) == build([READS], {"filters": ""}) == ""


@given(
    st.dictionaries(
        st.sampled_from(["label", "label!", "status", "until", "x"]), st.from_type(object).map(str)
    )
)
def test_what_is_given_to_a_call_that_deletes_is_sent_or_refused(tree: dict[str, Any]) -> None:
    """Fault 8.2: each key that was given goes out with a value, or nothing goes out."""
    found = tried(DELETES, tree)
    if isinstance(found, BadInput):
        assert str(found.field).startswith("filters")
        return
    assert found.keys() == tree.keys()
    assert all(found.values())


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(st.characters(), max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.one_of(
    st.sampled_from(["label", "label!", "until", "dangling"]), st.text(st.characters(), max_size=4)
)


@given(st.one_of(JSON, st.dictionaries(KEYS, JSON, max_size=3)), st.sampled_from([READS, DELETES, CACHE]))
def test_any_value_is_sent_or_refused_as_bad_input(tree: Any, form: Form) -> None:
    """Faults 8.2 and 8.30: nothing but BadInput leaves, and of a delete no key is lost."""
    found = tried(form, tree)
    if isinstance(found, BadInput):
        assert str(found.field).startswith("filters")
        assert str(found).encode()
    elif form is not READS:
        assert found.keys() == (json.loads(tree) if isinstance(tree, str) else tree).keys()


def test_flags_of_the_build_cache_have_no_value() -> None:
    """Fault 8.2: {"private": []} was the form to give a flag, was left out, and the whole cache went."""
    for value in (True, "true", [True], {"true": True}):
        if not isinstance(value, dict):
            assert sent({"private": value}, CACHE) == {"private": []}
    for value in (False, "no", ["false"], {"true": True}):
        with pytest.raises(BadInput, match=r"filters\.private"):
            sent({"private": value}, CACHE)
    with pytest.raises(BadInput, match=r"filters\.private is empty"):
        sent({"private": []}, CACHE)


@pytest.mark.parametrize("key", ["label", "label!"])
def test_filters_that_an_engine_overlooks_are_refused(key: str) -> None:
    """Fault 8.1: engines take labels for the build cache and delete regardless."""
    with pytest.raises(BadInput, match="overlook"):
        sent({key: ["a=b"]}, CACHE)


def test_the_keys_with_labels_and_times_are_those_of_the_operations() -> None:
    kinds = {(name, fact["kind"]) for found in load().filters.values() for name, fact in found.items()}
    assert {name for name, kind in kinds if kind == "label"} == LABELS
    assert {name for name, kind in kinds if kind == "timestamp"} == TIMES
    assert {kind for name, kind in kinds if name in LABELS | TIMES} == {"label", "timestamp"}
