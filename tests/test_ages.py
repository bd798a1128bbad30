"""Fields that the spoken version does not know, on every level of an input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.ages import Ages
from lib.engine import Endpoint, Engine
from lib.engine.errors import VersionMismatch
from lib.engine.version import EngineFacts, Version

SCHEMAS = Path(__file__).parent.parent / "schemas"
CREATE = json.loads((SCHEMAS / "ContainerCreate.in.json").read_text("utf-8"))


def engine_of(version: str) -> Engine:
    engine = Engine(Endpoint.parse("unix:///nowhere"))
    # What an engine would have answered to SystemPing and SystemVersion; it is asked once only.
    facts = EngineFacts(Version.parse(version), Version(1, 25))
    engine.negotiation._facts = engine.negotiation._full_facts = facts
    return engine


def checked(version: str, fields: dict[str, Any], schema: Any = CREATE) -> tuple[dict[str, Any], list[str]]:
    warnings: list[str] = []
    return Ages(schema).checked(engine_of(version), fields, warnings.append), warnings


def test_an_input_that_is_too_new_is_refused_with_both_versions() -> None:
    with pytest.raises(
        VersionMismatch, match=r"speaks API 1.25-1.40; platform of ContainerCreate needs 1.41"
    ):
        checked("1.40", {"platform": "linux/amd64"})
    assert checked("1.41", {"platform": "linux/amd64"}) == ({"platform": "linux/amd64"}, [])


def test_an_operation_that_is_too_new_is_refused() -> None:
    schema = json.loads((SCHEMAS / "ImageAttestations.in.json").read_text("utf-8"))
    with pytest.raises(VersionMismatch, match=r"ImageAttestations needs 1.55"):
        checked("1.54", {"name": "x"}, schema)


def test_what_an_engine_would_overlook_in_a_body_is_left_out_and_told() -> None:
    body = {"Image": "x", "HostConfig": {"CgroupnsMode": "host", "Memory": 5}}
    fields, warnings = checked("1.40", {"requestBody": body})
    assert fields["requestBody"] == {"Image": "x", "HostConfig": {"Memory": 5}}
    assert warnings == [
        "requestBody.HostConfig.CgroupnsMode of ContainerCreate is left out: it needs API 1.41, and 1.40 is spoken"
    ]
    assert body["HostConfig"]["CgroupnsMode"] == "host"


def test_null_in_a_body_is_nothing_to_tell() -> None:
    """fault 8.31: bodies as Docker's own client writes them had a warning for each field that they leave empty."""
    fields, warnings = checked("1.40", {"requestBody": {"Image": "x", "HostConfig": {"CgroupnsMode": None}}})
    assert (fields["requestBody"], warnings) == ({"Image": "x", "HostConfig": {}}, [])


def test_what_has_ended_is_left_out_and_told() -> None:
    schema = {"x-operation": "Demo", "properties": {"old": {"x-since": "1.25", "x-until": "1.40"}}}
    fields, warnings = checked("1.41", {"old": 1}, schema)
    assert fields == {}
    assert warnings == ["old of Demo is left out: it ended with API 1.40"]


PRUNE = json.loads((SCHEMAS / "VolumePrune.in.json").read_text("utf-8"))


@pytest.mark.parametrize("form", [dict, json.dumps])
def test_a_filter_that_is_too_new_is_refused(form: Any) -> None:
    """Fault 8.2: it was left out with a warning, and the prune took everything."""
    with pytest.raises(VersionMismatch, match=r"filters.label of VolumePrune needs API 1.30") as caught:
        checked("1.29", {"filters": form({"label": ["a=b"]})}, PRUNE)
    assert caught.value.field == "filters.label"
    fields = {"filters": form({"label": ["a=b"]})}
    assert checked("1.30", dict(fields), PRUNE) == (fields, [])


def test_an_input_that_has_ended_is_refused_where_something_is_changed() -> None:
    """Fault 8.2: keep_storage was left out with a warning, and none of the cache was kept."""
    schema = json.loads((SCHEMAS / "BuildPrune.in.json").read_text("utf-8"))
    with pytest.raises(VersionMismatch, match=r"keep_storage of BuildPrune .* ended with API 1.51"):
        checked("1.52", {"keep_storage": 1}, schema)
    assert checked("1.51", {"keep_storage": 1}, schema) == ({"keep_storage": 1}, [])


def test_values_of_lists_and_maps_are_looked_at() -> None:
    late = {"properties": {"new": {"x-since": "1.50"}, "kept": {"x-since": "1.25"}}}
    schema = {
        "x-operation": "Demo",
        "definitions": {"Late": late},
        "properties": {
            "requestBody": {
                "properties": {
                    "list": {"items": {"$ref": "#/definitions/Late"}},
                    "map": {"additionalProperties": late},
                }
            }
        },
    }
    value = {"new": 1, "kept": 2}
    fields, warnings = checked("1.41", {"requestBody": {"list": [value], "map": {"a": value}}}, schema)
    assert fields["requestBody"] == {"list": [{"kept": 2}], "map": {"a": {"kept": 2}}}
    assert [warning.split()[0] for warning in warnings] == [
        "requestBody.list[0].new",
        "requestBody.map.a.new",
    ]


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.in.json")), ids=lambda path: path.name.split(".")[0])
def test_every_schema_has_ages_and_the_older_connectors_inputs_are_never_refused(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))
    ages = Ages(schema)
    older = json.loads((Path(__file__).parent / "metadata" / "older_inputs.json").read_text("utf-8"))
    known = set(older.get(schema["x-operation"], []))
    late = {name: str(age.since) for name, age in ages._inputs.items() if age.since and name in known}
    assert not {name for name, since in late.items() if Version.parse(since) > Version(1, 33)}
