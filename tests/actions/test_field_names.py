"""Names of fields on every level of an input: refused, respelt or passed on (fault 8.31)."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from lib.action.input.field_names import unwritable
from lib.action.input.validation import Validator, validator

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
NEWER = {"requestBody": {"Image": "x", "HostConfig": {"NewInVersionTwo": 1}}}


def settled(key: str, body: Any, **how: bool) -> tuple[Any, list[str]]:
    value, problems = validator(SCHEMAS / f"{key}.in.json").settled(body, **how)
    return value, [str(problem) for problem in problems]


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"x": value}
    return value


@pytest.mark.parametrize(
    ("key", "body", "told"),
    [
        ("ContainerList", {"Filter": {}}, "Filter: is no field of ContainerList; did you mean filters?"),
        ("ContainerList", {"Limit": 1}, "Limit: is no field of ContainerList; did you mean limit?"),
        (
            "ContainerList",
            {"qqq": 1},
            "qqq: is no field of ContainerList; it has all, limit, size, filters",
        ),
        (
            "ContainerCreate",
            {"requestBody": {"Lables": {}}},
            "requestBody.Lables: is no field of requestBody; did you mean Labels?",
        ),
        (
            "ContainerCreate",
            {"requestBody": {"HostConfig": {"Memry": 1}}},
            "requestBody.HostConfig.Memry: is no field of requestBody.HostConfig; did you mean Memory?",
        ),
        (
            "ContainerCreate",
            {"requestBody": {"HostConfig": {"RestartPolicy": {"Nam": "always"}}}},
            (
                "requestBody.HostConfig.RestartPolicy.Nam: is no field of requestBody.HostConfig.RestartPolicy; "
                "did you mean Name?"
            ),
        ),
        (
            "ContainerCreate",
            {"requestBody": {"HostConfig": {"Mounts": [{"Type": "volume"}, {"Sorce": "a"}]}}},
            (
                "requestBody.HostConfig.Mounts[1].Sorce: is no field of requestBody.HostConfig.Mounts[1]; "
                "did you mean Source?"
            ),
        ),
        (
            "ContainerCreate",
            {"requestBody": {"NetworkingConfig": {"EndpointsConfig": {"web": {"Alias": ["a"]}}}}},
            (
                "requestBody.NetworkingConfig.EndpointsConfig.web.Alias: is no field of "
                "requestBody.NetworkingConfig.EndpointsConfig.web; did you mean Aliases?"
            ),
        ),
        (
            "VolumeCreate",
            {"requestBody": {"Options": {"type": "tmpfs"}}},
            (
                "requestBody.Options: is no field of requestBody; it has Name, Driver, DriverOpts, Labels, "
                "ClusterVolumeSpec"
            ),
        ),
        (
            "ImagePush",
            {"name": "x", "X_Registry_Auth": {"user": "me"}},
            "X_Registry_Auth.user: is no field of X_Registry_Auth; did you mean username?",
        ),
    ],
)
def test_an_unknown_field_is_named_with_what_was_probably_meant(key: str, body: Any, told: str) -> None:
    """Fault 8.31: the engine drops such a field without a word."""
    assert settled(key, body)[1] == [told]


def test_the_names_of_a_place_are_listed_once() -> None:
    """fault 8.31: with each of twenty wrong fields the error listed all forty right ones again."""
    body = {"LogConfig": {}, "Binds": [], "PortBindings": {}, "Memry": 1}
    text = "; ".join(settled("ContainerUpdate", {"id": "c", "requestBody": body})[1])
    assert text.count("it has CpuShares, Memory,") == 1
    assert all(f"requestBody.{name}: is no field of requestBody" in text for name in body)
    assert "did you mean Memory?" in text


@pytest.mark.parametrize(
    ("key", "body", "told"),
    [
        ("ContainerCreate", {"Labels": {}}, "belongs into requestBody"),
        ("ContainerCreate", {"Memory": 1}, "belongs into requestBody.HostConfig"),
        ("ContainerCreate", {"requestBody": {"Memory": 1}}, "belongs into requestBody.HostConfig"),
        ("ContainerCreate", {"requestBody": {"HostConfig": {"Image": "x"}}}, "belongs into requestBody"),
        ("ContainerCreate", {"requestBody": {"name": "web"}}, "beside requestBody, at the top level"),
        ("ServiceUpdate", {"id": "a", "requestBody": {"rollback": "previous"}}, "beside requestBody"),
    ],
)
def test_a_field_in_the_wrong_place_is_told_its_place(key: str, body: Any, told: str) -> None:
    """Fault 8.31: also the other way round."""
    problems = settled(key, body)[1]
    assert [problem.endswith(told) or told in problem for problem in problems] == [True]


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("ContainerCreate", {"Labels": {"Lables": "x"}, "Env": ["Memry=1"]}),
        ("ContainerCreate", {"HostConfig": {"Sysctls": {"net.x": "1"}, "LogConfig": {"Config": {"a": "b"}}}}),
        ("ContainerCreate", {"HostConfig": {"StorageOpt": {"size": "1G"}, "Annotations": {"a.b": "c"}}}),
        ("ContainerCreate", {"ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {"x": 1}}}),
        ("ContainerCreate", {"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}}),
        ("NetworkCreate", {"Name": "n", "Options": {"com.docker.network.bridge.name": "b"}}),
        ("VolumeCreate", {"DriverOpts": {"type": "tmpfs"}, "Labels": {"a": "b"}}),
        (
            "ServiceCreate",
            {"Mode": {"Global": {"x": 1}}, "TaskTemplate": {"LogDriver": {"Options": {"a": "b"}}}},
        ),
        ("ContainerCreate", {"Lables": None}),
    ],
)
def test_open_maps_and_nulls_pass(key: str, body: Any) -> None:
    """Fault 8.31: names that people choose are no fields; null says nothing."""
    assert settled(key, {"requestBody": body})[1] == []


def test_filters_are_left_to_the_engine() -> None:
    body = {"filters": {"label!": ["a=b"], "is-task": ["true"], "newer": ["x"]}}
    assert settled("ContainerList", body) == (body, [])


def test_names_in_another_case_get_the_schemas_spelling() -> None:
    """Fault 8.31: the engine takes them, so they work, and every check sees them."""
    body = {"requestBody": {"image": "x", "hostconfig": {"MEMORY": 5, "restartPolicy": {"name": "always"}}}}
    right = {"requestBody": {"Image": "x", "HostConfig": {"Memory": 5, "RestartPolicy": {"Name": "always"}}}}
    for unknown in (False, True):
        assert settled("ContainerCreate", body, unknown=unknown) == (right, [])
    assert settled("ContainerCreate", {"requestBody": {"hostconfig": {"memory": "5"}}})[1] == [
        'requestBody.HostConfig.Memory: must be a whole number, not the text "5"'
    ]


def test_a_field_given_in_two_spellings_is_refused() -> None:
    """Fault 8.31: the engine would take the last one, whichever that is."""
    for unknown in (False, True):
        assert settled(
            "ContainerUpdate", {"id": "a", "requestBody": {"memory": 1, "Memory": 2}}, unknown=unknown
        )[1] == [
            "requestBody.Memory: is given twice, as memory and Memory; the engine takes them for one field"
        ]


def test_unknown_fields_pass_where_the_step_says_so() -> None:
    """Fault 8.31: an engine may be newer than this component; an input at the top level is ours."""
    assert settled("ContainerCreate", NEWER, unknown=True) == (NEWER, [])
    assert settled("ContainerCreate", {"Lables": {}}, unknown=True)[1] == [
        "Lables: is no field of ContainerCreate; it has requestBody, name, platform"
    ]
    (problem,) = validator(SCHEMAS / "ContainerCreate.in.json").settled(NEWER)[1]
    assert "unknownFields" in problem.hint


def test_what_is_right_comes_back_as_it_is() -> None:
    body = {"requestBody": {"Image": "x"}}
    assert settled("ContainerCreate", body)[0] is body


def test_a_name_of_any_length_and_a_deep_value_are_refused_at_once() -> None:
    body = {"requestBody": {"M" * 1_000_000: 1, "Lables": nested(900)}}
    assert len(settled("ContainerCreate", body)[1]) == 2


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"name": "\ud800", "requestBody": {}}, "name: holds half of a character"),
        ({"requestBody": {"Labels": {"\udfff": 1}}}, r"requestBody.Labels.\udfff: holds half"),
        ({"requestBody": {"\ud800": 1}}, r"requestBody.\ud800: holds half"),
        ({"name": nested(300)}, "name: is nested more than 200 levels deep"),
        ({"requestBody": {"Labels": {"a": nested(900)}}}, "requestBody: is nested more than 200 levels deep"),
    ],
)
def test_what_cannot_be_checked_is_a_problem_of_its_field(body: Any, told: str) -> None:
    """Fault 8.30: the checker itself raises for such values."""
    (problem,) = settled("ContainerCreate", body)[1]
    assert problem.startswith(told)


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.in.json")), ids=lambda path: path.name.split(".")[0])
def test_no_object_of_a_request_is_closed_without_a_list_of_its_names(path: Path) -> None:
    """Each closed place refuses a name, and only that one."""
    schema = json.loads(path.read_text("utf-8"))
    checker = Validator(schema)
    for body in bodies(schema["properties"], schema.get("definitions", {})):
        problems = checker.settled({**schema["example"], **body})[1]
        assert any("Zzz" in problem.field for problem in problems), body


def bodies(properties: dict[str, Any], definitions: dict[str, Any], depth: int = 0) -> list[dict[str, Any]]:
    """One value for each object below, with a name in it that no engine knows."""
    found: list[dict[str, Any]] = []
    for name, item in properties.items():
        node = item
        while "$ref" in node:
            node = definitions[node["$ref"].rpartition("/")[2]]
        if "properties" not in node or node.get("x-open") or depth > 6:
            continue
        found.append({name: {"Zzz": 1}})
        found += [{name: below} for below in bodies(node["properties"], definitions, depth + 1)]
    return found


def test_of_a_message_with_many_wrong_values_only_the_first_is_looked_for_fault_8_16() -> None:
    """The checker described two million errors first, and the process stood still for two minutes."""
    body = {"requestBody": {"HostConfig": {"Binds": [1] * 200_000}}}
    assert settled("ContainerCreate", body)[1] == ["requestBody.HostConfig.Binds[0]: must be a text, not 1"]


def test_many_unknown_names_are_not_all_compared_fault_8_16() -> None:
    body = {"requestBody": {"HostConfig": {"Mounts": [{"Typ": 1}] * 100_000}}}
    _, problems = settled("ContainerCreate", body)
    assert problems[
        0
    ] == "requestBody.HostConfig.Mounts[0].Typ: is no field of {}; did you mean Type?".format(
        "requestBody.HostConfig.Mounts[0]"
    )
    assert problems[-1].endswith("Typ: is no field of requestBody.HostConfig.Mounts[99999]")


def test_paths_of_a_long_and_wide_message_take_no_memory_fault_8_18() -> None:
    """The path of each value was kept, of hundreds of levels with long names."""
    value: Any = ["a"] * 20_000 + ["\ud800"]
    for _ in range(150):
        value = {"n" * 1_000: value}
    tracemalloc.start()
    (problem,) = unwritable({"requestBody": {"Labels": value}})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem.field.endswith("[20000]")
    assert peak < 2_000_000
