"""EnsureContainer and what is no answer of an engine: any part of one may be of another form."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.message.ids import derived_id
from tests.actions.stepping import forget_engines, run_step
from tests.triggers.fake_engine import FakeEngine

KEY = "EnsureContainer"
RUN = derived_id("job", KEY, "local/step_1", "k")
ID, IMAGE_ID = "a" * 64, f"sha256:{'b' * 64}"
ODD: list[Any] = [5, [], [5], {}, "text", None, True, -1.5]
END = {
    "IPAMConfig": {"IPv4Address": "10.0.0.2"},
    "Aliases": ["web"],
    "NetworkID": "c" * 64,
    "EndpointID": "d" * 64,
    "IPAddress": "10.0.0.2",
    "MacAddress": "02:42:0a:00:00:02",
    "DriverOpts": {},
}
WEB: dict[str, Any] = {
    "Id": ID,
    "Name": "/web",
    "Created": "2026-01-05T09:30:00Z",
    "Image": IMAGE_ID,
    "RestartCount": 1,
    "State": {
        "Status": "running",
        "Running": True,
        "Paused": False,
        "Restarting": False,
        "ExitCode": 0,
        "StartedAt": "2026-01-05T09:30:01Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {"Status": "healthy", "FailingStreak": 0, "Log": [{"ExitCode": 0, "Output": ""}]},
    },
    "Config": {
        "Image": "web:1",
        "Hostname": "web",
        "Env": ["A=1"],
        "Cmd": ["serve"],
        "Entrypoint": ["/init"],
        "Labels": {"team": "a"},
        "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/data": {}},
        "Healthcheck": {"Test": ["CMD", "true"]},
        "MacAddress": "02:42:0a:00:00:02",
        "StopSignal": "15",
    },
    "HostConfig": {
        "NetworkMode": "shop",
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
        "Binds": ["a:/a:ro"],
        "Mounts": [{"Type": "volume", "Source": "m", "Target": "/m"}],
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
        "Links": ["/db:/web/db"],
        "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}],
        "Devices": [{"PathOnHost": "/dev/null"}],
        "Memory": 64,
        "NanoCpus": 5,
        "CapAdd": ["ALL"],
        "Tmpfs": {"/run": ""},
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
        "Sysctls": {"a": "1"},
    },
    "Mounts": [{"Type": "volume", "Name": "e" * 64, "Source": "/v/x/_data", "Destination": "/data"}],
    "NetworkSettings": {"Networks": {"shop": END}, "Ports": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}},
}
IMAGE: dict[str, Any] = {"Id": IMAGE_ID, "RepoDigests": [f"web@{IMAGE_ID}"], "Config": {"Env": ["A=0"]}}
LISTED: list[Any] = [{"Id": ID, "Names": ["/web"], "Labels": {}, "State": "running", "HostConfig": {}}]
WISH: dict[str, Any] = {
    "name": "web",
    "image": "web:1",
    "idempotencyKey": "k",
    "env": {"A": "2"},
    "memoryMb": 64,
    "ports": ["8081:80"],
    "volumes": ["b:/a"],
    "networks": [{"name": "shop", "aliases": ["x"]}, {"name": "more"}],
    "settings": {"HostConfig": {"Ulimits": [{"Name": "nofile", "Soft": 1}], "NanoCpus": 6}},
}
KNOWN = {"EngineFault", "BadInput", "Conflict", "WouldDestroy", "NotFound", "NotSettled"}


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeEngine]:
    engine = FakeEngine(str(tmp_path / "engine.sock"))
    yield engine
    engine.close()
    forget_engines()


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """All places inside of an answer, the answer itself first."""
    yield path
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, below in items:
        yield from places(below, (*path, key))


def spoilt(tree: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """An answer with something else at one place."""
    if not path:
        return odd
    whole = copy.deepcopy(tree)
    room = whole
    for key in path[:-1]:
        room = room[key]
    room[path[-1]] = odd
    return whole


def furnish(fake: FakeEngine, web: Any = WEB, image: Any = IMAGE, listed: Any = LISTED) -> None:
    missing = (404, {"message": "No such container: x"})
    short = RUN.replace("-", "")[:8]
    fake.routes |= {f"/containers/web.{way}-{short}/json": lambda _: missing for way in ("next", "failed")}
    fake.routes |= {f"/containers/{one}/json": lambda _: (200, web) for one in ("web", ID, "text", "5")}
    fake.routes |= {f"/images/{one}/json": lambda _: (200, image) for one in ("web:1", IMAGE_ID)}
    fake.routes["/containers/json"] = lambda _: (200, listed)
    fake.routes |= {f"/networks/{one}": lambda _, one=one: (200, {"Name": one}) for one in ("shop", "more")}


def error_of(fake: FakeEngine, **fields: Any) -> str:
    """The name of the error of a dry run, "" where it comes to its end."""
    step = {**fake.config, "errorPolicy": "emit", "dryRun": True, "maxSeconds": 1}
    (emitted,) = run_step(KEY, {**WISH, **fields}, step).bodies
    return str(emitted["error"]["name"]) if "error" in emitted else ""


def test_the_whole_answers_are_read(fake: FakeEngine) -> None:
    furnish(fake)
    assert error_of(fake) == ""
    assert error_of(fake, compare="strict") == ""


@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
@pytest.mark.parametrize("compare", ["given", "strict"])
def test_any_part_of_a_container_may_be_odd(fake: FakeEngine, odd: Any, compare: str) -> None:
    for path in places(WEB):
        furnish(fake, web=spoilt(WEB, path, odd))
        found = error_of(fake, compare=compare)
        assert found in {"", *KNOWN}, (path, found)
        assert found == "EngineFault" or len(path) > 0, (path, found)


@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_any_part_of_an_image_or_a_list_may_be_odd(fake: FakeEngine, odd: Any) -> None:
    for path in places(IMAGE):
        furnish(fake, image=spoilt(IMAGE, path, odd))
        assert error_of(fake) in {"", *KNOWN}, path
    for path in places(LISTED):
        furnish(fake, listed=spoilt(LISTED, path, odd))
        assert error_of(fake) in {"", *KNOWN}, path


@pytest.mark.parametrize("state", ["stopped", "absent", "present"])
@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_states_of_an_odd_container(fake: FakeEngine, odd: Any, state: str) -> None:
    for path in places({"State": WEB["State"], "Name": WEB["Name"], "Id": WEB["Id"]}):
        if path:
            furnish(fake, web=spoilt(WEB, path, odd))
            assert error_of(fake, state=state) in {"", *KNOWN}, path
