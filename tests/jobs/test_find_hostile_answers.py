"""What is no answer of an engine becomes an EngineFault of the jobs that look for objects, whatever it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actions.stepping import forget_engines, run_step
from tests.engine.scripted import Scripted, answer, say
from tests.jobs.finding import done, failed

ID = "a" * 64
GOOD = {
    "Id": ID,
    "Names": ["/web"],
    "Image": "web",
    "ImageID": "sha256:" + ID,
    "Labels": None,
    "State": "running",
}
LISTS: list[Any] = [
    5,
    {"message": "no list"},
    ["text"],
    [5],
    [{}],
    [{"Id": ID, "Names": 5}],
    [{"Id": ID, "Names": [], "Labels": ["a"]}],
]
INSPECTED: list[Any] = [
    [],
    {},
    {"Id": ID, "Name": "/web"},
    {"Id": ID, "Name": "/web", "State": "running"},
    {"Id": ID, "Name": "/web", "State": {}, "Config": {}},
    {"Id": ID, "Name": "/web", "State": {"Status": "running"}, "Config": [5]},
    {
        "Id": ID,
        "Name": "/web",
        "State": {"Status": "running"},
        "Config": {},
        "NetworkSettings": {"Ports": {"x/tcp": [{"HostPort": "y"}]}},
    },
]


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    yield
    forget_engines()


def settings(server: Scripted, kind: str = "container", **more: Any) -> dict[str, Any]:
    return {"server": "2", "otherServer": server.url, "objectType": kind, "errorPolicy": "throwError", **more}


def told(value: Any) -> Any:
    return say(answer(json.dumps(value).encode()))


@pytest.mark.parametrize("listed", LISTS, ids=json.dumps)
@pytest.mark.parametrize("key", ["LookupObject", "LookupObjects", "DeleteObject"])
def test_a_list_that_is_none(tmp_path: Path, key: str, listed: Any) -> None:
    body = {} if key == "LookupObjects" else {"value": "app=web"}
    more = {} if key == "LookupObjects" else {"lookupBy": "label"}
    with Scripted(tmp_path, told(listed)) as server:
        assert failed(run_step(key, body, settings(server, **more)))[0] == "EngineFault"


@pytest.mark.parametrize("inspected", INSPECTED, ids=json.dumps)
@pytest.mark.parametrize("key", ["LookupObject", "LookupObjects", "DeleteObject"])
def test_an_object_that_is_none(tmp_path: Path, key: str, inspected: Any) -> None:
    acts = [told([GOOD]), told(inspected)] if key == "LookupObjects" else [told(inspected)]
    body = {} if key == "LookupObjects" else {"value": "web"}
    with Scripted(tmp_path, *acts) as server:
        assert failed(run_step(key, body, settings(server)))[0] == "EngineFault"


@pytest.mark.parametrize(
    "kind", ["image", "network", "volume", "service", "task", "node", "secret", "plugin"]
)
@pytest.mark.parametrize("listed", [[{"ID": {}, "Spec": 5}], {"Volumes": [5]}], ids=json.dumps)
def test_a_list_of_another_type(tmp_path: Path, kind: str, listed: Any) -> None:
    services = [told([])] if kind == "task" else []
    with Scripted(tmp_path, told(listed), *services, told({})) as server:
        name, _ = failed(run_step("LookupObjects", {}, settings(server, kind)))
    assert name == "EngineFault"


def test_what_has_gone_since_the_list_was_made_is_left_out(tmp_path: Path) -> None:
    missing = say(answer(b'{"message": "No such container: web"}', "404 Not Found"))
    with Scripted(tmp_path, told([GOOD]), missing) as server:
        body = done(run_step("LookupObjects", {}, settings(server)))
    assert (body["results"], body["total"]) == ([], 0)


def test_volumes_that_are_missing_in_the_list_are_told(tmp_path: Path) -> None:
    listed = {"Volumes": [{"Name": "data", "CreatedAt": "yesterday"}], "Warnings": ["nfs does not answer"]}
    with Scripted(tmp_path, told(listed)) as server:
        body = done(run_step("LookupObjects", {}, settings(server, "volume")))
    assert body["warnings"] == ["The list of volumes is not whole: nfs does not answer"]
    assert [one.get("created") for one in body["results"]] == [None]


def test_an_address_that_leads_to_no_engine_is_no_missing_object(tmp_path: Path) -> None:
    page = say(answer(b"404 page not found\n", "404 Not Found", "text/plain"))
    for key in ("LookupObject", "DeleteObject"):
        with Scripted(tmp_path, page) as server:
            assert failed(run_step(key, {"value": "web"}, settings(server)))[0] == "NoSuchOperation"
        Path(server.path).unlink()
