"""RunContainer and what is no answer of an engine; and the sweep, on an engine whose time has passed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.job.repeat import JOB, RUN, SPEC, STEP, UNTIL, spec_of
from lib.sailor.message.ids import derived_id
from tests.actions.stepping import forget_engines, run_step
from tests.engine.scripted import Act, Scripted, answer, say, told

KEY = "RunContainer"
WISH = {"image": "web:1", "command": ["true"]}
RUN_ID = derived_id("job", KEY, "local/step_1", "k")
NAME = f"job-{RUN_ID.replace('-', '')[:16]}"
ID, OTHER = "a" * 64, "b" * 64
LABELS = {RUN: RUN_ID, SPEC: spec_of(WISH)}
LONG_AGO = "2020-01-05T09:30:0{}Z"
STATE = {
    "Status": "exited",
    "ExitCode": 0,
    "StartedAt": LONG_AGO.format(1),
    "FinishedAt": LONG_AGO.format(2),
}
ENDED = {
    "Id": ID,
    "Name": f"/{NAME}",
    "Created": LONG_AGO.format(0),
    "State": STATE,
    "Config": {"Labels": LABELS},
    "Image": "sha256:x",
}
IMAGE = {"Id": "sha256:x", "RepoDigests": []}
ODD: list[Any] = [5, [], {}, "text", [5], None]
CREATED = {**ENDED, "State": {**STATE, "Status": "created", "StartedAt": "0001-01-01T00:00:00Z"}}
MISSING = say(answer(b'{"message": "No such container"}', "404 Not Found"))


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    yield
    forget_engines()


def log(text: bytes) -> Act:
    return say(answer(text, kind="application/vnd.docker.raw-stream"))


def frame(text: bytes) -> bytes:
    return b"\1\0\0\0" + len(text).to_bytes(4) + text


def outcome(folder: Path, *acts: Act, **settings: Any) -> tuple[Any, list[bytes]]:
    with Scripted(folder, *acts) as server:
        config = {"server": "2", "otherServer": server.url, "errorPolicy": "emit", **settings}
        found = run_step(KEY, {**WISH, "idempotencyKey": "k"}, config)
        (body,) = found.bodies
        return body, [b" ".join(request.split()[:2]) for request in server.requests]


def changes(requests: list[bytes]) -> list[bytes]:
    return [one for one in requests if not one.startswith((b"GET", b"HEAD"))]


@pytest.mark.parametrize(
    "found",
    [
        *ODD,
        {**ENDED, "State": 5},
        {**ENDED, "State": {**STATE, "ExitCode": "x"}},
        {**ENDED, "Config": 5},
        {**ENDED, "Config": {"Labels": 5}},
    ],
    ids=lambda found: json.dumps(found)[-50:],
)
def test_a_container_that_is_none(tmp_path: Path, found: Any) -> None:
    body, requests = outcome(tmp_path, told(found))
    assert body["error"]["name"] == "EngineFault"
    assert not changes(requests)


@pytest.mark.parametrize("time", ["yesterday", "9" * 500])
def test_times_that_are_none(tmp_path: Path, time: str) -> None:
    found = {**ENDED, "State": {**STATE, "FinishedAt": time}}
    acts = [told(found), log(frame(b"x")), told(IMAGE), told([])]
    body, requests = outcome(tmp_path, *acts, evidence="keep")
    assert body["error"]["name"] == "EngineFault"
    assert not changes(requests)


@pytest.mark.parametrize("labels", [{}, {RUN: "other", SPEC: LABELS[SPEC]}, {**LABELS, SPEC: "other"}])
def test_a_container_of_somebody_else_is_left_alone(tmp_path: Path, labels: dict[str, str]) -> None:
    body, requests = outcome(tmp_path, told({**ENDED, "Config": {"Labels": labels}}))
    assert body["error"]["name"] == "NotSettled"
    assert not changes(requests)


@pytest.mark.parametrize("said", [b"no frames at all", frame(b"x")[:-1] + b"", b"\1\0\0\0\xff\xff\xff\xff"])
def test_a_log_that_is_none_costs_no_container(tmp_path: Path, said: bytes) -> None:
    body, requests = outcome(tmp_path, told(ENDED), log(said))
    assert body["error"]["name"] in ("StreamFailed", "StreamCut")
    assert not changes(requests)


@pytest.mark.parametrize("image", ODD, ids=json.dumps)
def test_an_image_that_is_none(tmp_path: Path, image: Any) -> None:
    body, requests = outcome(tmp_path, told(ENDED), log(frame(b"x")), told(image))
    assert body["error"]["name"] == "EngineFault"
    assert not changes(requests)


def test_a_program_that_has_ended_is_looked_at_once(tmp_path: Path) -> None:
    acts = [told(ENDED), log(frame(b"x")), told(IMAGE), told([])]
    body, requests = outcome(tmp_path, *acts, evidence="keep")
    assert body["stdout"] == "x"
    paths = [request.partition(b"?")[0].partition(b"/v1.41")[2].decode() for request in requests[-4:]]
    log_of, image = f"/containers/{ID}/logs", "/images/sha256:x/json"
    assert paths == [f"/containers/{NAME}/json", log_of, image, "/containers/json"]


@pytest.mark.parametrize("made", ODD, ids=json.dumps)
def test_a_create_without_an_id(tmp_path: Path, made: Any) -> None:
    body, requests = outcome(tmp_path, MISSING, told(IMAGE), told(made))
    assert body["error"]["name"] == "EngineFault"
    assert changes(requests) == [b"POST /v1.41/containers/create?name=" + NAME.encode()]


@pytest.mark.parametrize("listed", [*ODD, [{"Id": OTHER, "Labels": 5}]], ids=json.dumps)
def test_a_list_that_is_none_sweeps_nothing(tmp_path: Path, listed: Any) -> None:
    acts = [told(ENDED), log(frame(b"x")), told(IMAGE), told(listed)]
    body, requests = outcome(tmp_path, *acts, evidence="keep")
    assert body["stdout"] == "x"
    assert not changes(requests)


@pytest.mark.parametrize(
    ("until", "finished", "goes"),
    [
        ("1000", LONG_AGO.format(9), True),
        ("99999999999", LONG_AGO.format(9), False),
        ("x", LONG_AGO.format(9), False),
        ("1000", "2020-01-06T00:00:00Z", True),
        # It lived for years: its message may come back after as long a pause.
        ("1000", "2025-01-06T00:00:00Z", False),
    ],
)
def test_the_sweep_takes_what_nobody_comes_back_for(
    tmp_path: Path, until: str, finished: str, goes: bool
) -> None:
    labels = {JOB: KEY, STEP: "local/step_1", RUN: "other", UNTIL: until}
    left = {
        **ENDED,
        "Id": OTHER,
        "Name": "/job-left",
        "State": {**STATE, "FinishedAt": finished},
        "Config": {"Labels": labels},
    }
    listed = [{"Id": OTHER, "Labels": labels}]
    acts = [told(ENDED), log(frame(b"x")), told(IMAGE), told(listed), told(left)]
    body, requests = outcome(tmp_path, *acts, say(answer(b"", "204 No Content")), evidence="keep")
    assert body["repeat"]
    wanted = [f"DELETE /v1.41/containers/{OTHER}?force=true&v=true".encode()] if goes else []
    assert changes(requests) == wanted
