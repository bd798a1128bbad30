"""Inputs that try to be more than a value: they arrive as that value, or are refused."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.actions.recorder import Recorder
from tests.actions.stepping import run_step

REFUSED = [
    "..",
    ".",
    "a/b",
    "../../containers/json",
    "a/..",
    "//x",
    "/",
    "a//b",
    "a\r\nX-Evil: 1",
    "a\x00b",
    "a\x7f",
    "a b",
    "a\u00a0b",
    "a\u200bb",
    " ",
    "\n",
]
TAKEN = [
    "a?all=1",
    "a#b",
    "a%2e%2e",
    "%2F..",
    "ü",
    "a&b=c",
    "a;b",
    "__proto__",
]


@pytest.mark.parametrize("identity", REFUSED)
def test_an_id_cannot_change_the_path(identity: str, tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        outcome = run_step("ContainerInspect", {"id": identity}, {"server": recorder.url})
    assert [error["name"] for error in outcome.errors] == ["BadInput"]
    assert "id" in outcome.errors[0]["message"]
    assert recorder.asked == []


@pytest.mark.parametrize("identity", TAKEN)
def test_an_odd_id_arrives_as_it_is(identity: str, tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        run_step("ContainerInspect", {"id": identity}, {"server": recorder.url})
    (asked,) = recorder.asked
    assert unquote(asked.path) == f"/containers/{identity}/json"
    assert asked.query == []
    assert "X-Evil" not in asked.headers


@pytest.mark.parametrize(
    "identity", ["web\n", " web", "web\r\n", "\ufeffweb", "web\u00a0", "/web\n", "\tweb "]
)
def test_the_blanks_around_an_id_are_no_part_of_it(identity: str, tmp_path: Path) -> None:
    """Fault 8.33: an id with a line end was "not found", and with emitEmpty an existing container was absent."""
    with Recorder(tmp_path) as recorder:
        run_step("ContainerInspect", {"id": identity}, {"server": recorder.url, "notFound": "emitEmpty"})
    assert [asked.path for asked in recorder.asked] == ["/containers/web/json"]


def test_a_network_may_have_a_blank_in_its_name(tmp_path: Path) -> None:
    """Fault 8.33: engines make such networks."""
    with Recorder(tmp_path) as recorder:
        run_step("NetworkInspect", {"id": "my net\n"}, {"server": recorder.url})
    assert [unquote(asked.path) for asked in recorder.asked] == ["/networks/my net"]


@pytest.mark.parametrize("name", ["../../v1.24/info", "shop/../../info", "shop/./web", "shop//web", ".."])
def test_a_name_with_slashes_cannot_change_the_path(name: str, tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        outcome = run_step("ImageInspect", {"name": name}, {"server": recorder.url})
    assert [error["name"] for error in outcome.errors] == ["BadInput"]
    assert recorder.asked == []


@pytest.mark.parametrize("value", ["a&force=true", "a\r\nb", "a=b", "a+b c", "ü#?"])
def test_a_query_value_stays_one_value(value: str, tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        run_step("ContainerTop", {"id": "web", "ps_args": value}, {"server": recorder.url})
    (asked,) = recorder.asked
    assert asked.query == [("ps_args", value)]


@pytest.mark.parametrize(
    "login",
    ["eyJhIjoiYiJ9\r\nX-Evil: 1", "eyJh\nX-Evil:1", {"username": "a\r\nX-Evil: 1", "password": "b"}],
)
def test_a_login_adds_no_header(login: object, tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        body = {"name": "web", "X_Registry_Auth": login}
        outcome = run_step("DistributionInspect", body, {"server": recorder.url})
    assert [error["name"] for error in outcome.errors] == ([] if recorder.asked else ["BadInput"])
    assert all("X-Evil" not in asked.headers for asked in recorder.asked)


def test_keys_of_filters_stay_in_the_filters(tmp_path: Path) -> None:
    filters = {'a"]},"x': ["1"], "label": ['"}]&all=1']}
    with Recorder(tmp_path) as recorder:
        run_step("ContainerList", {"filters": filters}, {"server": recorder.url})
    (asked,) = recorder.asked
    assert [name for name, _ in asked.query] == ["filters"]
