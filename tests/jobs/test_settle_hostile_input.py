"""SettleOutcome and any JSON in `fields`, `error` and `since`, and answers that are none: an error, never a fall."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lib.engine.errors import LONGEST_TEXT
from lib.job.settle.sameness import covers
from lib.job.settle.settled import HARMLESS, PROOFS, UNPROVEN
from lib.job.settle.signals import number_of
from tests.actions.stepping import COMPONENT, forget_engines, run_step
from tests.jobs.odd_engine import OddEngine, Said
from tests.local.running import ROOT

KEY = "SettleOutcome"
ODD: list[Any] = [
    5,
    -1,
    1.5,
    True,
    [],
    [5],
    {},
    {"x": 5},
    "",
    "x" * 5000,
    "../../x",
    "a\r\nb",
    "\x00",
    "\ud800",
    None,
]
_ENGINES = ("EngineFault", "EngineError", "NoAnswer", "StreamCut", "StreamFailed", "LimitReached")
_OUTCOMES = ("happened", "didNotHappen", "unknown")
NOWHERE = {"server": "2", "otherServer": "unix:///nowhere.sock", "errorPolicy": "emit"}
EVENTS = [{"Type": "container", "Action": "create", "Actor": {"ID": "x", "Attributes": {}}, "timeNano": 1}]
SINCE = "2026-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    yield
    forget_engines()


def told(folder: Path, body: Any, says: Callable[[str], Said], **more: Any) -> Any:
    """The body that a step emits; it has to emit exactly one, and to send nothing but reads."""
    with OddEngine(folder, says, **more) as odd:
        outcome = run_step(KEY, body, {**NOWHERE, "otherServer": odd.url})
        (found,) = outcome.bodies
        assert not outcome.errors
        assert not odd.writes
    forget_engines()
    return found


def always(answer: Any, events: Any = EVENTS) -> Callable[[str], Said]:
    """An engine that answers everything with one thing, but for events."""
    lines = b"".join(json.dumps(one).encode() + b"\n" for one in events)
    return lambda path: (200, lines) if path == "/events" else (200, answer)


@pytest.mark.parametrize("operation", sorted(PROOFS))
def test_fields_of_any_kind_are_refused_or_looked_for(tmp_path: Path, operation: str) -> None:
    """Each answer is an object, which fits no question; nothing falls over."""
    names = (
        "id",
        "name",
        "repo",
        "tag",
        "t",
        "fromImage",
        "requestBody",
        "signal",
        "version",
        "remote",
        "container",
    )
    for number, odd in enumerate(ODD):
        for last, fields in enumerate(
            (
                dict.fromkeys(names, odd),
                {
                    "id": "web",
                    "name": "web",
                    "requestBody": {"Name": odd, "Container": odd, "Cmd": odd, "Spec": odd},
                },
                {"id": "web", "name": "web", "container": "web", "signal": odd, "requestBody": odd},
            )
        ):
            body = {"operation": operation, "fields": fields, "since": SINCE}
            found = told(tmp_path / f"{number}-{last}", body, always({}))
            if "error" in found:
                assert found["error"]["name"] in ("BadInput", *_ENGINES), found
            else:
                assert found["outcome"] in _OUTCOMES


@pytest.mark.parametrize("error", ODD, ids=lambda value: repr(value)[:20])
def test_an_error_of_any_kind_says_nothing(tmp_path: Path, error: Any) -> None:
    def gone(path: str) -> Said:
        return (200, b"") if path == "/events" else (404, {"message": "No such container"})

    for number, whole in enumerate(
        (error, {"name": error, "run": error}, {"error": error}, {"error": {"name": error}})
    ):
        body = {"operation": "ContainerDelete", "fields": {"id": "x"}, "error": whole, "since": "1"}
        found = told(tmp_path / str(number), body, gone)
        assert found.get("outcome") == "happened" or found["error"]["name"] == "BadInput", found


@pytest.mark.parametrize(
    "operation",
    ["nowhere", "../x", "ContainerCreate.in", "RunContainer", "SettleOutcome", "containerCreate", "\u0430"],
)
def test_an_operation_that_is_none_is_refused(operation: str) -> None:
    found = run_step(KEY, {"operation": operation}, NOWHERE).body
    assert (found["error"]["name"], found["error"]["field"]) == ("BadInput", "operation")


@pytest.mark.parametrize("since", ["yesterday", -5, "-5d", [], {}, "9" * 100, "2026-13-01T00:00:00Z"])
def test_a_time_that_is_none_is_refused(since: Any) -> None:
    body = {"operation": "ContainerStart", "fields": {"id": "x"}, "since": since}
    found = run_step(KEY, body, NOWHERE).body
    assert (found["error"]["name"], found["error"]["field"]) == ("BadInput", "since")


@pytest.mark.parametrize(
    ("since", "outcome"), [(3600, "lies in the future"), (30, "")], ids=["an hour", "half a minute"]
)
def test_a_time_that_has_not_come_is_refused(tmp_path: Path, since: int, outcome: str) -> None:
    body = {"operation": "ContainerStart", "fields": {"id": "x"}, "since": f"{time.time() + since:.3f}"}
    found = told(tmp_path / "engine", body, lambda _: (404, {"message": "No such container"}))
    assert outcome in found["error"]["message"] if outcome else "outcome" in found


def container(started: str) -> Any:
    state = {"Status": "running", "StartedAt": started}
    return {"Id": "a" * 64, "Name": "/web", "State": state, "Config": {}, "Created": SINCE, "HostConfig": {}}


@pytest.mark.parametrize(
    ("ahead", "outcome", "warning"),
    [
        (0, "didNotHappen", ""),
        (None, "didNotHappen", ""),
        (-100, "happened", "The engine's clock is "),
        (100, "didNotHappen", "The engine's clock is "),
    ],
)
def test_the_clock_of_the_engine_counts(
    tmp_path: Path, ahead: float | None, outcome: str, warning: str
) -> None:
    """Tried now by the clock of the step; started 90 s before that by the engine's."""
    now = time.time()
    started = datetime.fromtimestamp(now - 90, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    body = {"operation": "ContainerStart", "fields": {"id": "web"}, "since": f"{now:.3f}"}
    found = told(tmp_path / "engine", body, always(container(started)), ahead=ahead)
    assert found["outcome"] == outcome
    assert [one[: len(warning)] for one in found["warnings"]] == ([warning] if warning else [])


@pytest.mark.parametrize(
    ("components", "outcome"),
    [
        ([{"Name": "Engine"}], "didNotHappen"),
        ([{"Name": "Podman Engine"}], "unknown"),
        (None, "didNotHappen"),
    ],
    ids=["docker", "podman", "old"],
)
def test_what_another_kind_of_engine_does_not_tell_may_have_happened(
    tmp_path: Path, components: Any, outcome: str
) -> None:
    def says(path: str) -> Said:
        if path == "/version":
            return 200, {"Components": components}
        return always(container(SINCE))(path)

    body = {"operation": "ContainerKill", "fields": {"id": "web", "signal": "HUP"}, "since": SINCE}
    assert told(tmp_path / "engine", body, says)["outcome"] == outcome


@pytest.mark.parametrize("error", ["UploadBroken", "Refused", "NotFound"])
@pytest.mark.parametrize("operation", ["ImageLoad", "ImageBuild", "PutContainerArchive"])
def test_an_error_in_the_middle_of_an_upload_is_no_proof(tmp_path: Path, operation: str, error: str) -> None:
    body = {"operation": operation, "fields": {"id": "web"}, "since": SINCE, "error": {"name": error}}
    assert told(tmp_path / "engine", body, always(container(SINCE), []))["outcome"] == "unknown"


@pytest.mark.parametrize("odd", ["a\nb", "../x", "a b", "\u200b", "\ud800", "x" * 1025], ids=ascii)
@pytest.mark.parametrize(
    ("operation", "name"), [("VolumeDelete", "name"), ("ContainerStart", "id"), ("ServiceUpdate", "id")]
)
def test_a_name_that_is_none_is_told_as_the_field_that_it_stands_in(
    tmp_path: Path, operation: str, name: str, odd: str
) -> None:
    body = {"operation": operation, "fields": {name: odd}, "since": SINCE}
    error = told(tmp_path / "engine", body, always({}))["error"]
    assert (error["name"], error["field"]) == ("BadInput", "fields")
    assert f".{name}" in error["message"]


def test_what_an_engine_tells_is_repeated_in_bounds(tmp_path: Path) -> None:
    named = {**container(SINCE), "Name": "/" + "n" * 5_000_000}
    body = {"operation": "ContainerStart", "fields": {"id": "web"}, "since": SINCE}
    found = told(tmp_path / "engine", body, always(named))
    assert found["outcome"] == "happened"
    assert len(json.dumps(found)) < 3 * LONGEST_TEXT


@pytest.mark.parametrize(
    ("events", "outcome"),
    [(1, "didNotHappen"), (150, "unknown"), (6_000, "unknown")],
    ids=["few", "too many bytes", "too many"],
)
def test_events_are_read_in_bounds_and_what_was_cut_is_no_proof(
    tmp_path: Path, events: int, outcome: str
) -> None:
    size = 100_000 if events < 1_000 else 10
    one = {
        "Type": "container",
        "Action": "die",
        "Actor": {"ID": "x", "Attributes": {"l": "x" * size}},
        "timeNano": 1,
    }
    body = {"operation": "ContainerKill", "fields": {"id": "web", "signal": "HUP"}, "since": SINCE}
    assert told(tmp_path / "engine", body, always(container(SINCE), [one] * events))["outcome"] == outcome


def test_events_count_though_a_proxy_keeps_the_version_back(tmp_path: Path) -> None:
    actor = {"ID": "a" * 64, "Attributes": {"signal": "1"}}
    later = 1_800_000_000_000_000_000
    event = {"Type": "container", "Action": "kill", "Actor": actor, "timeNano": later}

    def says(path: str) -> Said:
        if path == "/version":
            return 403, {"message": "forbidden by the proxy"}
        return always(container(SINCE), [*EVENTS, event])(path)

    for number, (signal, outcome) in enumerate((("HUP", "happened"), ("USR1", "unknown"))):
        body = {"operation": "ContainerKill", "fields": {"id": "web", "signal": signal}, "since": SINCE}
        assert told(tmp_path / str(number), body, says)["outcome"] == outcome


@pytest.mark.parametrize(
    ("operation", "driver", "outcome"),
    [
        ("ImagePrune", [["driver-type", "io.containerd.snapshotter.v1"]], "unknown"),
        ("ImagePrune", [["Backing Filesystem", "extfs"]], "didNotHappen"),
        ("VolumePrune", [["driver-type", "io.containerd.snapshotter.v1"]], "didNotHappen"),
    ],
)
def test_containerds_store_does_not_tell_of_pruned_images(
    tmp_path: Path, operation: str, driver: Any, outcome: str
) -> None:
    body = {"operation": operation, "fields": {}, "since": SINCE}
    found = told(tmp_path / "engine", body, always({"DriverStatus": driver}))
    assert (found["outcome"], found["next"]) == (outcome, "repeat")


SWARM = {"LocalNodeState": "active", "RemoteManagers": [{"Addr": "10.0.0.1:2377"}]}


@pytest.mark.parametrize(
    ("operation", "swarm", "outcome"),
    [
        ("SwarmJoin", SWARM, "happened"),
        ("SwarmJoin", {**SWARM, "RemoteManagers": [{"Addr": "10.0.0.2:2377"}]}, "unknown"),
        ("SwarmJoin", {**SWARM, "RemoteManagers": None}, "unknown"),
        ("SwarmJoin", {"LocalNodeState": "inactive"}, "didNotHappen"),
        ("SwarmJoin", {"LocalNodeState": "error"}, "unknown"),
        ("SwarmInit", SWARM, "unknown"),
        ("SwarmInit", {**SWARM, "Cluster": {"CreatedAt": SINCE}}, "happened"),
        ("SwarmInit", {**SWARM, "Cluster": {"CreatedAt": "2025-01-01T00:00:00Z"}}, "didNotHappen"),
        ("SwarmLeave", SWARM, "didNotHappen"),
        ("SwarmLeave", None, "happened"),
        ("SwarmUnlock", {"LocalNodeState": "locked"}, "didNotHappen"),
        ("SwarmUnlock", SWARM, "happened"),
    ],
)
def test_the_part_in_a_swarm_tells(tmp_path: Path, operation: str, swarm: Any, outcome: str) -> None:
    fields = {"requestBody": {"RemoteAddrs": ["10.0.0.1:2377"]}}
    body = {"operation": operation, "fields": fields, "since": SINCE}
    assert told(tmp_path / "engine", body, always({"Swarm": swarm}))["outcome"] == outcome


@pytest.mark.parametrize(
    ("signal", "number"),
    [
        *(
            ("HUP", 1),
            ("sigterm", 15),
            ("9", 9),
            ("SIGKILL", 9),
            ("RTMIN", 34),
            ("RTMIN+3", 37),
            ("rtmax-1", 63),
        ),
        *(
            ("SYS", 31),
            ("CLD", 17),
            ("", None),
            ("x", None),
            ("RTMIN+", None),
            ("RTMIN3", None),
            ("999", None),
        ),
        *(("RTMIN+\u0663", None), ("\u00b2", None), ("RTMAX+999999", None), ("-9", None)),
    ],
)
def test_signals_are_read_as_engines_write_them(signal: str, number: int | None) -> None:
    assert number_of(signal) == number


@pytest.mark.parametrize("operation", sorted(PROOFS))
@pytest.mark.parametrize(
    "odd", [5, [], {}, "text", [5], [{}], None, {"State": 5, "Spec": 5, "Version": 5}], ids=json.dumps
)
def test_answers_that_are_none_fail_as_such(tmp_path: Path, operation: str, odd: Any) -> None:
    names = ("id", "name", "repo", "t", "fromImage", "container", "remote")
    fields: dict[str, Any] = dict.fromkeys(names, "web") | {"tag": "1"}
    fields["requestBody"] = {"Name": "web", "Container": "web", "Cmd": ["true"]}
    error = {"name": "OutcomeUnknown", "run": "r"}
    for number, (more, events) in enumerate(
        (({}, EVENTS), ({"error": error}, EVENTS), ({}, [odd]), ({}, []))
    ):
        body = {"operation": operation, "fields": fields, "since": SINCE, **more}
        found = told(tmp_path / str(number), body, always(odd, events))
        if "error" in found:
            assert found["error"]["name"] in _ENGINES, found
        else:
            assert found["outcome"] in _OUTCOMES, found


@pytest.mark.parametrize("operation", ["SecretCreate", "ContainerCreate", "ImageCreate", "ContainerExec"])
def test_secrets_of_the_input_stand_in_no_error_and_no_log(operation: str) -> None:
    login = {"username": "joe", "password": "hunter-22-x"}
    fields = {
        "id": "web",
        "name": "web",
        "requestBody": {"Name": "web", "Data": "aHVudGVyLTIyLXg=", "Env": ["PASSWORD=hunter-22-x"], "Cmd": 5},
        "fromImage": "web:1",
        "X-Registry-Auth": login,
    }
    for policy in ("throwError", "emit"):
        outcome = run_step(
            KEY, {"operation": operation, "fields": fields, "since": "1"}, {**NOWHERE, "errorPolicy": policy}
        )
        whole = json.dumps([outcome.errors, outcome.bodies, outcome.log])
        assert "Unreachable" in whole
        assert "aHVudGVyLTIyLXg" not in whole
        assert "hunter-22-x" not in whole


def test_each_operation_that_changes_something_is_settled_or_refused_by_name() -> None:
    facts = json.loads((ROOT / "lib/metadata/facts/operations.json").read_text("utf-8"))
    changing = {key for key, one in facts.items() if one["method"] not in ("GET", "HEAD")}
    assert changing == (PROOFS.keys() | set(HARMLESS) | UNPROVEN.keys()) - {"ContainerAttachWebsocket"}
    assert not PROOFS.keys() & UNPROVEN.keys()
    assert COMPONENT.function(KEY).process is not None


@pytest.mark.parametrize("operation", sorted(UNPROVEN))
def test_what_nothing_proves_is_refused_by_name(operation: str) -> None:
    found = run_step(KEY, {"operation": operation, "fields": {"id": "x"}}, NOWHERE).body
    error = found["error"]
    assert (error["name"], error["field"]) == ("BadInput", "operation")
    assert f"{operation} cannot be settled: " in error["message"]
    assert error["hint"]


@pytest.mark.parametrize(
    ("given", "found", "same"),
    [
        ({}, None, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": "1"}, {"a": 1}, True),
        ({"a": True}, {"a": 1}, False),
        ({"a": None, "b": "", "c": 0, "d": False, "e": [], "f": {}}, {}, True),
        ({"a": "", "b": None}, {"a": "bridge", "b": [1]}, True),
        ({"Image": "web:1"}, {"Image": "web:1@sha256:0a"}, True),
        ({"Image": "web:1@sha256:0b"}, {"Image": "web:1@sha256:0a"}, False),
        ({"a": "x"}, {"a": "x@y"}, False),
        ({"a": 0}, {"a": 5}, False),
        ({"a": [1, 2]}, {"a": [1, 2]}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": []}, {"a": [1]}, False),
        ({"a": {"b": {"c": "x"}}}, {"a": {"b": {"c": "x", "d": 1}}}, True),
        ({"a": {"b": "x"}}, {"a": "x"}, False),
        ("x", {"x": 1}, False),
    ],
    ids=repr,
)
def test_what_is_given_is_there(given: Any, found: Any, same: bool) -> None:
    assert covers(given, found) is same


def test_what_is_nested_too_deeply_is_not_the_same() -> None:
    deep: Any = "x"
    for _ in range(10_000):
        deep = {"a": deep}
    assert not covers(deep, deep)
