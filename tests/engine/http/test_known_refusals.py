"""Refusals whose status misleads, through the whole client (fault 8.20); the texts are those of real engines."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests_mock

from lib.action.settings import Outcome, StepSettings
from lib.engine import Endpoint, Engine
from lib.engine.errors import (
    Busy,
    Conflict,
    EngineError,
    EngineFault,
    NoManager,
    NoSuchOperation,
    NotFound,
    NotSupported,
    Refused,
    Unauthorized,
)
from lib.engine.http.known_refusals import KNOWN, known
from lib.engine.http.retry import Retry

ROOT = "http://engine.lab"
Q = "docker login"
# Status, the engine's text, the error, whether a read comes again by itself, a word of the hint.
TEXTS: list[tuple[int, str, type[EngineError], bool, str]] = [
    (
        404,
        "no matching manifest for linux/amd64 in the manifest list entries",
        NotFound,
        False,
        "platform",
    ),
    (501, "error squashing image: not implemented", NotSupported, False, "leave squash empty"),
    (500, "error squashing image: not implemented", NotSupported, False, "containerd image store"),
    (
        400,
        'OCI runtime create failed: unable to start container process: exec: "/x": stat /x: no such file or directory',
        Refused,
        False,
        "a program that the image does not have",
    ),
    (404, "network nowhere not found", NotFound, False, "NetworkList"),
    (
        400,
        "Are you trying to mount a directory onto a file (or vice-versa)?",
        Refused,
        False,
        "nor a folder over a file",
    ),
    (500, 'the container name "web" is already in use by 1f2e', Conflict, False, "choose another one"),
    (500, "network name shop already used: network already exists", Conflict, False, "choose another one"),
    (500, "running or paused containers cannot be removed without force", Conflict, False, "set force"),
    (501, "configured logging driver does not support reading", NotSupported, False, "json-file"),
    (500, "configured logging driver does not support reading", NotSupported, False, "json-file"),
    (501, "service mode change is not allowed", NotSupported, False, "other mode"),
    (501, "not implemented", NotSupported, False, "driver"),
    (
        500,
        "manager stopped: can't initialize raft node: failed to open WAL: fileutil: file already locked",
        Busy,
        True,
        "try again",
    ),
    (500, 'Get "http://r:5000/v2/": no basic auth credentials', Unauthorized, False, "registries"),
    (
        500,
        "Head https://r/v2/x/manifests/1: unauthorized: authentication required",
        Unauthorized,
        False,
        "login",
    ),
    (500, "Get https://r/v2/: unauthorized: incorrect username or password", Unauthorized, False, "login"),
    (500, "denied: requested access to the resource is denied", Unauthorized, False, "login"),
    (
        404,
        f"pull access denied for x, repository does not exist or may require '{Q}'",
        NotFound,
        False,
        "wants a login",
    ),
    (500, "toomanyrequests: You have reached your pull rate limit.", Busy, True, "log in"),
    (429, "toomanyrequests: You have reached your pull rate limit.", Busy, True, "log in"),
    (429, "slow down", Busy, True, "less often"),
    (500, 'exporter "oci" could not be found', NotSupported, False, "containerd image store"),
    (500, 'exporter "" could not be found', NotSupported, False, "cache alone"),
    (500, "manifest unknown: manifest unknown", NotFound, False, "no such tag"),
    (404, "manifest for r/b:2 not found: manifest unknown: manifest unknown", NotFound, False, "no such tag"),
    (
        400,
        "rpc error: code = FailedPrecondition desc = network 4f is in use by service 5a",
        Conflict,
        False,
        "ServiceUpdate",
    ),
    (403, "container 4f is not connected to network shop", Conflict, False, "NetworkInspect"),
    (500, "container 4f is not connected to network shop", Conflict, False, "NetworkInspect"),
    (404, "No such image: nope:1", NotFound, False, "ImageCreate"),
    (404, "no such image: nope: No such image: nope:latest", NotFound, False, "ImageCreate"),
    (
        409,
        'Conflict. The container name "/web" is already in use by container "1f"',
        Conflict,
        False,
        "taken",
    ),
    (409, "rpc error: code = AlreadyExists desc = secret s already exists", Conflict, False, "taken"),
    (400, "mismatched Runtime and *Spec fields", Refused, False, "whole Spec"),
    (500, "Get https://r/v2/: x509: certificate signed by unknown authority", Refused, False, "certs.d"),
    (500, "http: server gave HTTP response to HTTPS client", Refused, False, "insecure-registries"),
    (400, "invalid reference format: repository name must be lowercase", Refused, False, "lower case"),
    (403, "Address already in use", Conflict, False, "another one"),
    (403, "address already in use", Conflict, False, "another one"),
    (403, "Pool overlaps with other one on this address space", Conflict, False, "IPAM"),
    (
        403,
        "error while removing network: network x id 1 has active endpoints",
        Conflict,
        False,
        "NetworkDisconnect",
    ),
    (403, "endpoint with name web already exists in network lab", Conflict, False, "connected"),
    (403, "bridge is a pre-defined network and cannot be removed", Refused, False, "belong to the engine"),
    (403, "blocked by policy", Unauthorized, False, "forbids"),
    (404, "sandbox 1f3e not found", EngineFault, True, "ContainerRestart"),
    (404, "network sandbox not found", EngineFault, True, "ContainerRestart"),
    (404, "error looking up volume plugin x: plugin x not found", Refused, False, "volume driver"),
    (404, "page not found", NoSuchOperation, False, "does not know the operation"),
    (404, 'received "404 page not found" from the registry', NotFound, False, "still exists"),
    (503, "Podman does not support service: /v1.41/swarm/init", NoSuchOperation, False, "does not know"),
    (404, "No such container: web", NotFound, False, "still exists"),
    (404, "Could not find the file /nope in container web", NotFound, False, "Check the path"),
    (409, "Container 1f3e is not running", Conflict, False, "ContainerStart"),
    (409, "Container 1f3e is not paused", Conflict, False, "paused"),
    (500, "Container 1f3e is not paused", Conflict, False, "paused"),
    (500, "Container 1f3e is not running", Conflict, False, "ContainerStart"),
    (500, "Bind for 0.0.0.0:80 failed: port is already allocated", Conflict, False, "HostPort"),
    (500, "listen tcp4 0.0.0.0:80: bind: address already in use", Conflict, False, "HostPort"),
    (
        500,
        "rpc error: code = Unknown desc = update out of sequence",
        EngineFault,
        True,
        "leave version empty",
    ),
    (400, "service x does not have a previous spec", Refused, False, "nothing to go back to"),
    (503, "This node is already part of a swarm. Use ...", Conflict, False, "SwarmLeave"),
    (503, "You are attempting to leave the swarm on a node that is a manager", Conflict, False, "force"),
    (503, "This node is not a swarm manager. Use ...", NoManager, False, "SwarmInit"),
    (
        503,
        "Swarm is encrypted and needs to be unlocked before it can be used.",
        NoManager,
        False,
        "SwarmUnlock",
    ),
    (503, "The swarm does not have a leader.", EngineFault, True, "managers"),
    (503, "upstream is away", EngineFault, True, "at present"),
    (500, "invalid volume specification: 'C:\\data:/data:ro'", Refused, False, "Windows engines"),
    (500, "invalid mode: /data", Refused, False, "Windows engines"),
    (
        400,
        "create C: volume name is too short, names should be at least two",
        Refused,
        False,
        "Windows engines",
    ),
    (400, "illegal base64 data at input byte 5", Refused, False, "base64"),
    (400, 'exec: "nope": executable file not found in $PATH: unknown', Refused, False, "program"),
    (500, "write /var/lib: no space left on device", EngineFault, True, "full"),
]


@pytest.fixture
def mock() -> requests_mock.Adapter:
    adapter = requests_mock.Adapter()
    adapter.register_uri("HEAD", f"{ROOT}/_ping", headers={"Api-Version": "1.41"})
    return adapter


@pytest.fixture
def engine(mock: requests_mock.Adapter) -> Iterator[Engine]:
    with Engine(Endpoint.parse("http://engine.lab:80"), retry=Retry(attempts=1)) as engine:
        engine.sender.session.mount("http://", mock)
        yield engine


@pytest.mark.parametrize(("status", "text", "kind", "comes_again", "hint"), TEXTS)
def test_the_text_says_what_the_status_does_not(
    engine: Engine,
    mock: requests_mock.Adapter,
    status: int,
    text: str,
    kind: type[EngineError],
    comes_again: bool,
    hint: str,
) -> None:
    """Fault 8.20."""
    mock.register_uri("GET", f"{ROOT}/v1.41/x", status_code=status, json={"message": text})
    with pytest.raises(EngineError) as caught:
        engine.get("/x")
    error = caught.value
    assert type(error) is kind
    assert (error.message, error.status) == (text, status)
    assert hint in str(error)
    outcome = StepSettings.parse({}).outcome(error)
    assert outcome is (Outcome.REBOUND if comes_again else Outcome.FAIL)
    absent = StepSettings.parse({"notFound": "emitEmpty"}).outcome(error)
    assert (absent is Outcome.EMPTY) is (kind is NotFound)


def test_each_row_of_the_table_can_be_reached() -> None:
    """Fault 8.20: a row that an earlier one hides would be a hint that nobody sees."""
    for row in KNOWN:
        for status in row.statuses or (400, 500):
            assert known(status, " and ".join(row.words)) is row
        assert all(word == word.lower() for word in row.words)


def test_an_unknown_text_is_left_to_its_status() -> None:
    assert known(403, "blocked by policy") is None
    assert known(418, "update out of sequence") is None


def test_a_call_that_is_never_supported_does_not_come_again_when_asked_to(
    engine: Engine, mock: requests_mock.Adapter
) -> None:
    """Fault 8.20."""
    mock.register_uri("GET", f"{ROOT}/v1.41/x", status_code=501, text=json.dumps({"message": "no"}))
    with pytest.raises(NotSupported) as caught:
        engine.get("/x")
    assert StepSettings.parse({"errorPolicy": "rebound"}).outcome(caught.value) is Outcome.FAIL


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_an_answer_without_a_text_says_that_the_object_is_missing(
    engine: Engine, mock: requests_mock.Adapter, method: str
) -> None:
    """Fault 8.20: "Not Found" is only the name of the status then (HEAD; ContainerTop of Podman)."""
    mock.register_uri(method, f"{ROOT}/v1.41/x", status_code=404, reason="Not Found")
    with pytest.raises(NotFound) as caught:
        (engine.head if method == "HEAD" else engine.get)("/x")
    assert type(caught.value) is NotFound
    assert "still exists" in str(caught.value)


def test_a_missing_path_is_told_as_one(engine: Engine, mock: requests_mock.Adapter) -> None:
    """fault 8.33: an answer to HEAD has no text, so the hint names both that may be missing."""
    mock.register_uri("HEAD", f"{ROOT}/v1.41/containers/web/archive", status_code=404)
    with pytest.raises(NotFound, match="the id or name, and the path"):
        engine.head("/containers/{id}/archive", {"id": "web"})
