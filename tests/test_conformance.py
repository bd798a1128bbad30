"""All handlers against the operation table: what each asks of an engine, and what shape of answer it hands on."""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.engine import Endpoint, Engine
from lib.engine.answer.reply import Reply
from lib.engine.answer.streams import Archive, Lines, Logs, ProgressLines
from lib.engine.attach.session import Dialogue
from lib.engine.request.upload import Upload
from lib.metadata.proxy_rules import ALWAYS, pattern, rules
from lib.sailor.component import Component
from tests.actions.inputs import FACTS, LOGIN, expected, field_of, full, slashes
from tests.actions.recorder import Asked, Recorder

ROOT = Path(__file__).parent.parent
COMPONENT = Component(str(ROOT))
OPERATIONS = FACTS.operations
SHAPES = FACTS.shapes
TAR = b"a tar, as far as anybody here knows"
# By kind of answer: what a handler returns. A dict is an answer that was worked on.
RETURNS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("object", "empty", "array"), Reply),
    **dict.fromkeys(("changed", "headers", "ping", "stat", "text", "session"), dict),
    "archive": Archive,
    "build": ProgressLines,
    "progress": ProgressLines,
    "lines": Lines,
    "stats": Lines,
    "logs": Logs,
    "terminal": Dialogue,
}


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Recorder(tmp_path) as recorder:
        yield recorder


@pytest.fixture
def engine(recorder: Recorder) -> Iterator[Engine]:
    with Engine(Endpoint.parse(recorder.url)) as engine:
        yield engine


def handler(key: str) -> Any:
    process = COMPONENT.function(key).process
    assert process is not None
    return process.__self__.handler  # type: ignore[attr-defined]


def fields(key: str) -> dict[str, Any]:
    """What the bridge hands to a handler when the message fills every field."""
    found = full(key)
    request = SHAPES[key]["request"]
    if request.startswith("tar"):
        found["requestBody"] = Upload(TAR)
    elif "body" in OPERATIONS[key]:
        found["requestBody"] = body_of(key)
    return found


def body_of(key: str) -> Any:
    definition = FACTS.definitions[OPERATIONS[key]["body"]["definition"]]
    if definition.get("type") == "array":
        return ["DEBUG=1"] if key == "PluginSet" else [{"Name": "network", "Value": ["host"]}]
    return {"Name": "web", "Labels": {"a": "ü"}, "Detach": False} if key != "ExecStart" else {"Detach": False}


def asked_of(recorder: Recorder, key: str) -> Asked:
    """The call of the operation itself; a handler may look at something before."""
    method, path = OPERATIONS[key]["method"], path_of(key)
    calls = [asked for asked in recorder.asked if (asked.method, asked.path) == (method, path)]
    assert len(calls) >= 1, (key, recorder.asked)
    assert all(asked.method == "GET" for asked in recorder.asked if asked not in calls)
    return calls[-1]


def path_of(key: str) -> str:
    name = "shop/web:1.4" if slashes(key) else "web"
    if key == "VolumeUpdate":
        name = "found"  # engines look for a cluster volume by its id
    return str(OPERATIONS[key]["path"]).replace("{id}", name).replace("{name}", name)


def closed(answer: Any) -> None:
    if hasattr(answer, "close"):
        answer.close()


@pytest.mark.parametrize("key", list(OPERATIONS))
def test_every_field_goes_where_the_table_says(key: str, engine: Engine, recorder: Recorder) -> None:
    closed(handler(key)(engine, fields(key)))
    asked = asked_of(recorder, key)
    parameters = OPERATIONS[key]["parameters"]
    query = {p["name"]: expected(key, p) for p in parameters if p["in"] == "query"}
    found: dict[str, list[str]] = {}
    for name, value in asked.query:
        found.setdefault(name, []).append(value)
    assert {name: sorted(values) for name, values in found.items()} == {
        name: sorted(values) for name, values in query.items()
    }
    for parameter in parameters:
        if parameter["in"] == "header":
            check_header(parameter, asked, full(key)[field_of(parameter)])


def check_header(parameter: dict[str, Any], asked: Asked, value: Any) -> None:
    sent = asked.headers[parameter["name"]]
    if parameter["wire"] == "base64url-json":
        assert json.loads(base64.urlsafe_b64decode(sent)) == value
        assert not set(sent) & set("+/")
    else:
        assert sent == value


@pytest.mark.parametrize("key", list(OPERATIONS))
def test_a_proxy_with_the_rules_of_its_row_lets_all_calls_through(
    key: str, engine: Engine, recorder: Recorder
) -> None:
    closed(handler(key)(engine, fields(key)))
    makes, may = rules(key, FACTS, {}, {})
    allowed = [re.compile(pattern(call)) for call in (*ALWAYS, "GET /version", *makes, *may)]
    asked = {f"{one.method} {one.path}" for one in recorder.asked}
    assert [call for call in asked if not any(rule.fullmatch(call) for rule in allowed)] == []


@pytest.mark.parametrize("key", list(OPERATIONS))
def test_the_body_is_the_one_of_the_message(key: str, engine: Engine, recorder: Recorder) -> None:
    closed(handler(key)(engine, fields(key)))
    asked = asked_of(recorder, key)
    if SHAPES[key]["request"].startswith("tar"):
        assert asked.body == TAR
        assert asked.headers["Content-Type"] == "application/x-tar"
    elif "body" in OPERATIONS[key]:
        wanted = body_of(key)
        sent = json.loads(asked.body)
        assert wanted.items() <= sent.items() if isinstance(wanted, dict) else sent == wanted
        assert asked.headers["Content-Type"] == "application/json"
    else:
        assert asked.body == b""


@pytest.mark.parametrize("key", list(OPERATIONS))
def test_the_answer_has_the_shape_of_the_table(key: str, engine: Engine, recorder: Recorder) -> None:
    answer = handler(key)(engine, fields(key))
    assert isinstance(answer, RETURNS[SHAPES[key]["answer"]])
    closed(answer)


@pytest.mark.parametrize("key", list(OPERATIONS))
def test_required_fields_are_enough_and_nothing_is_invented(
    key: str, engine: Engine, recorder: Recorder
) -> None:
    needed = {field_of(p) for p in OPERATIONS[key]["parameters"] if p.get("required")}
    body = OPERATIONS[key].get("body", {})
    given = {
        name: value
        for name, value in fields(key).items()
        if name in needed
        or (name == "requestBody" and (body.get("required") or "tar" in SHAPES[key]["request"]))
    }
    given |= NEEDED_TOO.get(key, {})
    closed(handler(key)(engine, given))
    names = {name for name, _ in asked_of(recorder, key).query}
    assert names <= {p["name"] for p in OPERATIONS[key]["parameters"]}
    assert names - needed <= FILLED_IN.get(key, set()) | set(NEEDED_TOO.get(key, {}))


# Of several fields one has to be there, which the table cannot say.
NEEDED_TOO = {"ImageGetAll": {"names": ["web"]}, "ServiceUpdate": {"requestBody": {"Labels": {}}}}
# What a handler says by itself, since the engine insists or a flow wants it so.
FILLED_IN = {
    "ContainerLogs": {"stdout", "stderr"},
    "ServiceLogs": {"stdout", "stderr"},
    "TaskLogs": {"stdout", "stderr"},
    "ContainerAttach": {"stdout", "stderr", "stream"},
    "ContainerAttachWebsocket": {"stdout", "stderr", "stream"},
    "ContainerStats": {"stream"},
    "ImageLoad": {"quiet"},
    "PluginEnable": {"timeout"},
    **{f"{name}Update": {"version"} for name in ("Config", "Node", "Secret", "Service", "Swarm", "Volume")},
}


@pytest.mark.parametrize("key", [key for key, value in FILLED_IN.items() if value == {"version"}])
def test_an_update_without_version_changes_the_object_as_it_is(
    key: str, engine: Engine, recorder: Recorder
) -> None:
    inputs = {name: value for name, value in fields(key).items() if name != "version"}
    change = {"Labels": {"a": "1"}}
    inputs["requestBody"] = {"Spec": change} if key == "VolumeUpdate" else change
    handler(key)(engine, inputs)
    asked = asked_of(recorder, key)
    assert ("version", "7") in asked.query
    sent = json.loads(asked.body)
    sent = sent["Spec"] if key == "VolumeUpdate" else sent
    assert (sent["Kept"], sent["Labels"]) == (True, {"a": "1"})


@pytest.mark.parametrize(
    "key", [key for key, op in OPERATIONS.items() if any("X-Registry" in p["name"] for p in op["parameters"])]
)
def test_logins_of_the_credential_are_sent_to_their_registry(key: str, recorder: Recorder) -> None:
    from lib.engine import Registries

    logins = Registries.parse({"registry.lab:5000": LOGIN})
    inputs = {name: value for name, value in fields(key).items() if not name.startswith("X_Registry")}
    for name in ("name", "remote", "fromImage", "term"):
        if name in inputs:
            inputs[name] = "registry.lab:5000/shop/web"
    if isinstance(inputs.get("requestBody"), dict):
        spec = {"ContainerSpec": {"Image": "registry.lab:5000/shop/web:1"}}
        inputs["requestBody"] = {"TaskTemplate": spec}
    with Engine(Endpoint.parse(recorder.url), registries=logins) as engine:
        closed(handler(key)(engine, inputs))
    headers = {name: text for asked in recorder.asked for name, text in asked.headers.items()}
    sent = headers.get("X-Registry-Auth") or headers["X-Registry-Config"]
    login = json.loads(base64.urlsafe_b64decode(sent))
    assert (login.get("registry.lab:5000") or login)["password"] == LOGIN["password"]


def test_a_file_for_a_container_becomes_a_tar(engine: Engine, recorder: Recorder) -> None:
    file = {"name": "a/b.txt", "content": "Grüße", "mode": "600"}
    handler("PutContainerArchive")(engine, {"id": "web", "path": "/", "file": file})
    with tarfile.open(fileobj=io.BytesIO(recorder.asked[-1].body)) as archive:
        (member,) = archive.getmembers()
        assert (member.name, member.mode, member.size) == ("a/b.txt", 0o600, 7)


def test_a_dockerfile_becomes_a_build_context(engine: Engine, recorder: Recorder) -> None:
    closed(handler("ImageBuild")(engine, {"dockerfileText": "FROM x\n", "dockerfile": "Own"}))
    with tarfile.open(fileobj=io.BytesIO(recorder.asked[-1].body)) as archive:
        assert archive.getnames() == ["Own"]
