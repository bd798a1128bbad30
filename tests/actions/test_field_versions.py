"""Fields that the spoken version does not know, on every level of an input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.action.input.field_versions import FieldVersions
from lib.engine import Endpoint, Engine
from lib.engine.errors import VersionMismatch
from lib.engine.version import EngineFacts, Version

SCHEMAS = Path(__file__).parents[2] / "schemas"
CREATE = json.loads((SCHEMAS / "ContainerCreate.in.json").read_text("utf-8"))


def engine_of(version: str) -> Engine:
    engine = Engine(Endpoint.parse("unix:///nowhere"))
    # What an engine would have answered to SystemPing and SystemVersion; it is asked once only.
    facts = EngineFacts(Version.parse(version), Version(1, 25))
    engine.negotiation._facts = engine.negotiation._full_facts = facts
    return engine


def checked(version: str, fields: dict[str, Any], schema: Any = CREATE) -> tuple[dict[str, Any], list[str]]:
    warnings: list[str] = []
    return FieldVersions(schema).checked(engine_of(version), fields, warnings.append), warnings


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


MOUNT = {"Type": "volume", "Source": "v", "Target": "/v", "VolumeOptions": {"Subpath": "only/this"}}
SERVICE = json.loads((SCHEMAS / "ServiceCreate.in.json").read_text("utf-8"))
NETWORK = json.loads((SCHEMAS / "NetworkCreate.in.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("schema", "body", "path", "since"),
    [
        (CREATE, {"HostConfig": {"Mounts": [MOUNT]}}, "HostConfig.Mounts[0].VolumeOptions.Subpath", "1.45"),
        (
            CREATE,
            {"HostConfig": {"Mounts": [{"BindOptions": {"ReadOnlyForceRecursive": True}}]}},
            "HostConfig.Mounts[0].BindOptions.ReadOnlyForceRecursive",
            "1.44",
        ),
        (CREATE, {"HostConfig": {"MaskedPaths": []}}, "HostConfig.MaskedPaths", "1.38"),
        (CREATE, {"HostConfig": {"CgroupnsMode": "private"}}, "HostConfig.CgroupnsMode", "1.41"),
        (NETWORK, {"EnableIPv4": False}, "EnableIPv4", "1.47"),
        (SERVICE, {"Mode": {"GlobalJob": {}}}, "Mode.GlobalJob", "1.41"),
        (
            SERVICE,
            {"TaskTemplate": {"ContainerSpec": {"Privileges": {"NoNewPrivileges": True}}}},
            "TaskTemplate.ContainerSpec.Privileges.NoNewPrivileges",
            "1.44",
        ),
        (
            SERVICE,
            {"TaskTemplate": {"ContainerSpec": {"CapabilityDrop": ["CAP_NET_RAW"]}}},
            "TaskTemplate.ContainerSpec.CapabilityDrop",
            "1.41",
        ),
        (
            SERVICE,
            {"TaskTemplate": {"Resources": {"Limits": {"Pids": 5}}}},
            "TaskTemplate.Resources.Limits.Pids",
            "1.41",
        ),
        (
            SERVICE,
            {"TaskTemplate": {"Placement": {"MaxReplicas": 1}}},
            "TaskTemplate.Placement.MaxReplicas",
            "1.40",
        ),
    ],
    ids=lambda value: value.rpartition(".")[2] if isinstance(value, str) and not value[:1].isdigit() else "",
)
def test_what_an_engine_would_overlook_in_a_body_is_refused(
    schema: Any, body: dict[str, Any], path: str, since: str
) -> None:
    """fault 8.2: it was left out with a warning: the whole volume was mounted, nothing was dropped or limited."""
    with pytest.raises(VersionMismatch) as caught:
        checked("1.37", {"requestBody": body}, schema)
    told = str(caught.value)
    assert caught.value.field == f"requestBody.{path}"
    assert f"API 1.37 is spoken. requestBody.{path}: it needs API {since}" in told
    assert "unknownFields" in told
    assert checked(since, {"requestBody": body}, schema) == ({"requestBody": body}, [])


def test_an_error_names_all_fields_that_an_engine_would_overlook_up_to_a_number() -> None:
    body = {"HostConfig": {"Mounts": [MOUNT] * 30}}
    with pytest.raises(
        VersionMismatch, match=r"Mounts\[0\].*Mounts\[19\].VolumeOptions.Subpath: .*; and 10 more"
    ):
        checked("1.44", {"requestBody": body})


def test_a_step_may_send_what_the_engine_overlooks() -> None:
    body = {"Image": "x", "HostConfig": {"CgroupnsMode": "host", "Memory": 5}}
    warnings: list[str] = []
    fields = FieldVersions(CREATE).checked(
        engine_of("1.40"), {"requestBody": body}, warnings.append, unknown=True
    )
    assert fields == {"requestBody": body}
    (warning,) = warnings
    assert warning.startswith(
        "requestBody.HostConfig.CgroupnsMode of ContainerCreate may be overlooked: it needs"
    )


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_is_not_set_in_a_body_is_nothing_to_tell(nothing: Any) -> None:
    """fault 8.31: bodies as Docker's own client writes them had a warning for each field that they leave empty."""
    body = {"Image": "x", "HostConfig": {"CgroupnsMode": nothing}}
    fields, warnings = checked("1.40", {"requestBody": body})
    assert (fields["requestBody"], warnings) == ({"Image": "x", "HostConfig": {}}, [])
    assert body["HostConfig"] == {"CgroupnsMode": nothing}


@pytest.mark.parametrize(
    ("field", "value", "last"),
    [("KernelMemory", 5, "1.41"), ("KernelMemoryTCP", 5, "1.51"), ("DiskQuota", 5, "1.39")],
)
def test_a_limit_that_has_ended_is_refused_and_none_is_not(field: str, value: int, last: str) -> None:
    """fault 8.2: the container was made without the limit. A body that an older engine wrote has the default."""
    with pytest.raises(VersionMismatch, match=f"HostConfig.{field}: it ended with API {last}"):
        checked("1.52", {"requestBody": {"HostConfig": {field: value}}})
    fields = {"requestBody": {"HostConfig": {field: 0}, "MacAddress": ""}}
    assert checked("1.52", fields) == ({"requestBody": {"HostConfig": {}}}, [])


def test_what_nobody_needs_any_more_is_left_out_and_told() -> None:
    fields, warnings = checked("1.46", {"requestBody": {"Name": "n", "CheckDuplicate": True}}, NETWORK)
    assert fields == {"requestBody": {"Name": "n"}}
    assert warnings == [
        "requestBody.CheckDuplicate of NetworkCreate is left out: it ended with API 1.45, and 1.46 is spoken"
    ]


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
    for body, path in (
        ({"list": [{"kept": 2}, {"new": 1}]}, "requestBody.list[1].new"),
        ({"map": {"a": {"new": 1, "kept": 2}}}, "requestBody.map.a.new"),
    ):
        with pytest.raises(VersionMismatch) as caught:
            checked("1.41", {"requestBody": body}, schema)
        assert caught.value.field == path


def of_operations() -> list[Path]:
    return [path for path in sorted(SCHEMAS.glob("*.in.json")) if '"x-operation"' in path.read_text("utf-8")]


@pytest.mark.parametrize("path", of_operations(), ids=lambda path: path.name.split(".")[0])
def test_every_schema_has_ages_and_the_older_connectors_inputs_are_never_refused(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))
    ages = FieldVersions(schema)
    older = json.loads((Path(__file__).parents[1] / "metadata" / "older_inputs.json").read_text("utf-8"))
    known = set(older.get(schema["x-operation"], []))
    late = {name: str(age.since) for name, age in ages._inputs.items() if age.since and name in known}
    assert not {name for name, since in late.items() if Version.parse(since) > Version(1, 33)}
