from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput
from lib.engine.request.path import expand

INVISIBLE = "\u200b\ufeff"
ONE, SLASHED = "/containers/{id}/json", "/images/{+name}/json"


def tried(template: str, fields: dict[str, Any]) -> str | BadInput:
    try:
        return expand(template, fields)
    except BadInput as fault:
        return fault


@given(st.text())
def test_an_id_is_one_segment_or_refused(identity: str) -> None:
    path = tried(ONE, {"id": identity})
    if isinstance(path, BadInput):
        assert path.field == "id"
        return
    before, *segment, after = path.split("/")[1:]
    assert (before, after) == ("containers", "json")
    assert [unquote(part) for part in segment] == [
        identity.strip().strip(INVISIBLE).strip().removeprefix("/")
    ]
    assert path.isascii()
    assert not set(path) & set("?# \r\n")


@given(st.text(alphabet=st.sampled_from("ab/.:@%?#ü ")))
def test_a_name_may_hold_slashes_but_leads_nowhere_else(name: str) -> None:
    path = tried(SLASHED, {"name": name})
    if isinstance(path, BadInput):
        assert path.field == "name"
        return
    inner = path.removeprefix("/images/").removesuffix("/json")
    assert unquote(inner) == name.strip().removeprefix("/")
    assert not {"", ".", ".."} & set(inner.split("/"))
    assert not set(inner) & set("?# ")


@pytest.mark.parametrize("name", ["registry.lab:5000/shop/web:1.4", "web@sha256:0123"])
def test_references_look_as_people_write_them(name: str) -> None:
    assert expand(SLASHED, {"name": name}) == f"/images/{name}/json"


def test_a_container_name_may_have_the_slash_that_the_engine_gives_it() -> None:
    assert expand(ONE, {"id": "/web"}) == "/containers/web/json"


@pytest.mark.parametrize("value", [None, "", [], {}, True, 1.5])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(BadInput, match="id"):
        expand(ONE, {"id": value})
    with pytest.raises(BadInput, match="id is missing"):
        expand(ONE, {})


def test_a_text_of_any_length_is_no_name() -> None:
    """fault 8.33: it stood in the path, and the path in the error."""
    with pytest.raises(BadInput, match="id is longer than 1024 characters") as caught:
        expand(ONE, {"id": "a" * 100_000})
    assert len(str(caught.value)) < 200


def test_a_number_is_an_id() -> None:
    assert expand(ONE, {"id": 42}) == "/containers/42/json"
