"""Secrets and configs of a swarm: what goes for the ones goes for the others."""

from __future__ import annotations

import base64

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.proving import Body, Names, refusals, success
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine

DATA = base64.b64encode(b"what is kept").decode()
ACTS = ("Create", "Inspect", "Update", "List", "Delete")


def all_of(resource: str) -> pytest.MarkDecorator:
    return success(*(f"{resource}{act}" for act in ACTS))


@pytest.mark.parametrize(
    "resource", [pytest.param(name, marks=all_of(name)) for name in ("Secret", "Config")]
)
def test_it_is_made_labelled_listed_and_deleted(swarm: Site, site: Site, resource: str) -> None:
    name = f"kept-{random_id()}"
    body = {"Name": name, "Data": DATA, "Labels": {"a": "1"}}
    made = site.do(f"{resource}Create", {"requestBody": body})["ID"]
    assert site.do(f"{resource}Update", {"id": made, "requestBody": {"Labels": {"b": "2"}}}) == {}
    found = site.do(f"{resource}Inspect", {"id": made})
    assert found["Spec"]["Labels"] == {"a": "1", "b": "2"}
    assert found["Spec"].get("Data", DATA) == DATA
    version = found["Version"]["Index"]
    spec = {"Name": name, "Data": DATA, "Labels": {}}
    site.do(f"{resource}Update", {"id": made, "version": version, "requestBody": spec})
    site.fails(f"{resource}Update", {"id": made, "version": version, "requestBody": spec}, "EngineFault")
    results = site.do(f"{resource}List", {"filters": {"name": [name]}})["results"]
    assert [entry["ID"] for entry in results] == [made]
    assert site.do(f"{resource}Delete", {"id": made}) == {}


NOTHING = {"id": "nothing"}
CHANGE = {**NOTHING, "requestBody": {"Labels": {}}}
BAD = {"requestBody": {"Name": "no/such name", "Data": DATA}}


@refusals(
    SecretList=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
    SecretCreate=(BAD, "Refused", "EngineFault"),
    SecretInspect=(NOTHING, "NotFound"),
    SecretUpdate=(CHANGE, "NotFound"),
    SecretDelete=(NOTHING, "NotFound"),
    ConfigList=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
    ConfigCreate=(BAD, "Refused", "EngineFault"),
    ConfigInspect=(NOTHING, "NotFound"),
    ConfigUpdate=(CHANGE, "NotFound"),
    ConfigDelete=(NOTHING, "NotFound"),
)
def test_what_cannot_be_done(swarm: Site, site: Site, key: str, body: Body, names: Names) -> None:
    told = site.fails(key, body, *names)
    assert DATA not in told
