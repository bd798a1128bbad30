"""Every job on Podman: what docs/podman.md says works is shown at work, and what it says is not there is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from lib.metadata.podman import LACKING, Podman
from lib.sailor.message.ids import random_id
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import Outcome, forget_engines, run_step
from tests.jobs.finding import done, failed
from tests.jobs.places import tar_of
from tests.jobs.table import _keys
from tests.lab.podman import PodmanService

PODMAN = Podman.load()
SLEEP = {"Cmd": ["sleep", "600"], "StopSignal": "SIGKILL"}


@dataclass
class Bench:
    """A Podman with a running container `web` and one that has ended, `over`; `name` is free for what a test makes."""

    service: PodmanService
    storage: FolderStorage
    name: str

    def step(self, key: str, body: Any, attachments: Any = None, **settings: Any) -> Outcome:
        config = {"server": "2", "otherServer": self.service.url, "errorPolicy": "throwError", **settings}
        return run_step(
            key,
            body,
            config,
            attachments=attachments or {},
            storage=self.storage,
            headers={"messageId": random_id()},
        )

    def do(self, key: str, body: Any, attachments: Any = None, **settings: Any) -> Any:
        return done(self.step(key, body, attachments, **settings))

    def made(self, name: str, **body: Any) -> str:
        wire = self.service.wire
        wire.do("POST", "/containers/create", {"Image": self.service.image, **SLEEP, **body}, name=name)
        wire.do("POST", f"/containers/{name}/start")
        return name


@pytest.fixture(scope="module")
def service(podman_service: PodmanService) -> Iterator[PodmanService]:
    yield podman_service
    forget_engines()


@pytest.fixture
def bench(service: PodmanService, tmp_path: Any) -> Iterator[Bench]:
    bench = Bench(service, FolderStorage(str(tmp_path)), f"pod-{random_id()[:8]}")
    bench.made(f"{bench.name}-web")
    bench.made(f"{bench.name}-over", Cmd=["sh", "-c", "echo hello; exit 3"])
    service.wire.do("POST", f"/containers/{bench.name}-over/wait")
    yield bench
    for container in service.wire.do("GET", "/containers/json", all="true").json():
        service.wire.ask("DELETE", f"/containers/{container['Id']}", force="true", v="true")
    service.wire.do("POST", "/volumes/prune")


def run_container(bench: Bench) -> None:
    body = {"image": bench.service.image, "command": ["sh", "-c", "cat; echo x > /out"], "stdinText": "hello"}
    told = bench.do("RunContainer", {**body, "filesOut": ["/out"]})
    assert (told["exitCode"], told["stdout"], len(told["files"])) == (0, "hello", 1)


def run_command(bench: Bench) -> None:
    assert (
        bench.do("RunCommand", {"target": f"{bench.name}-web", "command": ["echo", "hi"]})["stdout"] == "hi\n"
    )


def wait_for_container(bench: Bench) -> None:
    assert (
        bench.do("WaitForContainer", {"target": f"{bench.name}-web", "for": "running"})["state"] == "running"
    )


def lookup_object(bench: Bench) -> None:
    found = bench.do("LookupObject", {"value": f"{bench.name}-over"}, objectType="container")
    assert (found["name"], found["state"]) == (f"{bench.name}-over", "exited")


def lookup_objects(bench: Bench) -> None:
    terms = [{"field": "state", "condition": "=", "value": "running"}]
    found = bench.do("LookupObjects", {"terms": terms}, objectType="container")["results"]
    assert [one["name"] for one in found] == [f"{bench.name}-web"]


def delete_object(bench: Bench) -> None:
    assert (
        bench.do("DeleteObject", {"value": f"{bench.name}-over"}, objectType="container")["changed"] is True
    )


def search_logs(bench: Bench) -> None:
    found = bench.do("SearchLogs", {"targets": {"names": [f"{bench.name}-over"]}, "pattern": "hel"})
    assert [one["text"] for one in found["results"]] == ["hello"]


def report_engine(bench: Bench) -> None:
    assert "noLimit" in {one["finding"] for one in bench.do("ReportEngine", {})["findings"]}


def ensure_volume(bench: Bench) -> None:
    assert [bench.do("EnsureVolume", {"name": bench.name})["action"] for _ in range(2)] == ["created", "none"]


def ensure_network(bench: Bench) -> None:
    told = [bench.do("EnsureNetwork", {"name": bench.name})["action"] for _ in range(2)]
    assert told == ["created", "none"]
    bench.service.wire.do("DELETE", f"/networks/{bench.name}")


def ensure_image(bench: Bench) -> None:
    wish = {"reference": bench.service.image}
    assert bench.do("EnsureImage", {**wish, "policy": "missing"})["action"] == "none"
    told = bench.do("EnsureImage", {**wish, "policy": "newer"})
    assert (told["action"], len(told["warnings"])) == ("none", 1)


def ensure_container(bench: Bench) -> None:
    wish = {"name": bench.name, "image": bench.service.image, "command": ["sleep", "600"]}
    wish["settings"] = {"StopSignal": "SIGKILL"}
    told = [bench.do("EnsureContainer", {**wish, "env": {"A": value}})["action"] for value in "112"]
    assert told == ["created", "none", "recreated"]


def redeploy_container(bench: Bench) -> None:
    """Its limits are shown under names of the kernel, which no engine takes."""
    wish = {"target": f"{bench.name}-web", "image": bench.service.image, "env": {"B": "1"}}
    assert bench.do("RedeployContainer", wish)["action"] == "redeployed"
    shown = bench.service.wire.do("GET", f"/containers/{bench.name}-web/json").json()
    assert "B=1" in shown["Config"]["Env"]


def heal_containers(bench: Bench) -> None:
    wish = {"targets": {"names": [f"{bench.name}-over"]}, "when": ["exited"]}
    (told,) = bench.do("HealContainers", wish)["results"]
    assert (told["name"], told["before"]) == (f"{bench.name}-over", "exited")


def files_in_and_out(bench: Bench, place: str) -> None:
    bench.service.wire.do("POST", "/volumes/create", {"Name": bench.name})
    bench.do("CopyFilesIn", {"place": place.format(bench.name), "path": "/etc-a", "content": "x"})
    told = bench.do("CopyFilesOut", {"place": place.format(bench.name), "path": "/etc-a", "as": "text"})
    assert told["text"] == "x"


def backup_and_restore(bench: Bench, exclude: list[str]) -> None:
    """Podman names the files of a volume from `/` on, and would put those of an archive beside it."""
    wire = bench.service.wire
    wire.do("POST", "/volumes/create", {"Name": bench.name})
    mounts = {"Mounts": [{"Type": "volume", "Source": bench.name, "Target": "/data"}]}
    holder = bench.made(f"{bench.name}-holder", HostConfig=mounts)
    files = tar_of(("a", b"one"), ("d", None), ("d/b", b"two"), ("left", b"out"))
    wire.do("PUT", f"/containers/{holder}/archive?path=/data", files)
    outcome = bench.step("BackupVolume", {"volume": bench.name, "exclude": exclude})
    assert done(outcome)
    (attachment,) = outcome.messages[0].attachments.values()
    other = f"{bench.name}-2"
    for mode, action in (("newVolume", "created"), ("merge", "merged"), ("replace", "replaced")):
        told = bench.do(
            "RestoreVolume", {"volume": other, "attachment": "a", "mode": mode}, {"a": attachment}
        )
        assert (told["action"], told["files"]) == (action, 3 - len(exclude))
        for path, text in (("/a", "one"), ("/d/b", "two")):
            found = bench.do("CopyFilesOut", {"place": f"volume:{other}", "path": path, "as": "text"})
            assert found["text"] == text
    if exclude:
        assert (
            failed(bench.step("CopyFilesOut", {"place": f"volume:{other}", "path": "/left"}))[0] == "NotFound"
        )


def prune_engine(bench: Bench) -> None:
    told = bench.do("PruneEngine", {"what": ["containers", "volumes"]})
    assert [one["name"] for one in told["removed"] if one["kind"] == "container"] == [f"{bench.name}-over"]


def engine_request(bench: Bench) -> None:
    assert bench.do("EngineRequest", {"method": "GET", "path": "/info"})["statusCode"] == 200


def settle_outcome(bench: Bench) -> None:
    lost = {"error": {"name": "OutcomeUnknown", "message": "lost"}}
    call = {"operation": "ContainerDelete", "fields": {"id": "never-there"}, "error": lost}
    told = bench.do("SettleOutcome", {**call, "since": "2026-01-01T12:00:00Z"})
    assert told["outcome"] in ("happened", "unknown")


def ensure_secret(bench: Bench) -> None:
    """Its labels are not kept, so a repeat is not recognised."""
    wish = {"name": bench.name, "content": "hush-hush"}
    assert [bench.do("EnsureSecret", wish)["version"] for _ in range(2)] == [1, 2]


WORK: dict[str, list[Callable[[Bench], None]]] = {
    "RunContainer": [run_container],
    "RunCommand": [run_command],
    "WaitForContainer": [wait_for_container],
    "LookupObject": [lookup_object],
    "LookupObjects": [lookup_objects],
    "DeleteObject": [delete_object],
    "SearchLogs": [search_logs],
    "ReportEngine": [report_engine],
    "EnsureVolume": [ensure_volume],
    "EnsureNetwork": [ensure_network],
    "EnsureImage": [ensure_image],
    "EnsureContainer": [ensure_container],
    "EnsureSecret": [ensure_secret],
    "RedeployContainer": [redeploy_container],
    "HealContainers": [heal_containers],
    "CopyFilesIn": [partial(files_in_and_out, place="{}-web"), partial(files_in_and_out, place="volume:{}")],
    "CopyFilesOut": [],  # with CopyFilesIn
    "BackupVolume": [partial(backup_and_restore, exclude=["left"]), partial(backup_and_restore, exclude=[])],
    "RestoreVolume": [],  # with BackupVolume
    "PruneEngine": [prune_engine],
    "EngineRequest": [engine_request],
    "SettleOutcome": [settle_outcome],
}
REFUSED: dict[str, dict[str, Any]] = {
    "EnsureConfig": {"name": "a", "content": "x"},
    "EnsureService": {"name": "a", "image": "busybox:local"},
    "MirrorImage": {"from": "registry.local/a:1", "to": "registry.local/b"},
    "RolloutService": {"service": "a", "image": "busybox:local"},
    "RotateSecret": {"name": "a", "content": "x"},
}
SHOWN = [
    pytest.param(look, id=f"{key}-{number}")
    for key, looks in WORK.items()
    for number, look in enumerate(looks)
]


@pytest.mark.parametrize("look", SHOWN)
def test_a_job_works(bench: Bench, look: Callable[[Bench], None]) -> None:
    look(bench)


@pytest.mark.parametrize("key", REFUSED)
def test_a_job_that_podman_has_no_calls_for_is_refused(bench: Bench, key: str) -> None:
    assert failed(bench.step(key, REFUSED[key]))[0] == "NoSuchOperation"


@pytest.mark.parametrize(
    ("key", "named"),
    [("EnsureContainer", "name"), ("RedeployContainer", "target")],
    ids=["ensure", "redeploy"],
)
def test_one_with_a_restart_policy_is_not_made_anew_and_goes_on(bench: Bench, key: str, named: str) -> None:
    """Without ContainerUpdate the old one would start again beside the new one."""
    name = bench.made(f"{bench.name}-kept", HostConfig={"RestartPolicy": {"Name": "always"}})
    before = bench.service.wire.do("GET", "/containers/json", all="true").json()

    wish = {named: name, "image": bench.service.image, "env": {"A": "1"}}
    assert failed(bench.step(key, wish))[0] == "NoSuchOperation"

    after = bench.service.wire.do("GET", "/containers/json", all="true").json()
    states = [{(one["Id"], one["Names"][0], one["State"]) for one in listed} for listed in (before, after)]
    assert states[0] == states[1]


def test_the_page_says_what_is_shown_here() -> None:
    stated = {key: PODMAN.state("jobs", key)[0] == LACKING for key in _keys()}
    assert stated == {**dict.fromkeys(WORK, False), **dict.fromkeys(REFUSED, True)}


def test_the_page_is_about_this_podman(service: PodmanService) -> None:
    if service.version != PODMAN.version:
        pytest.skip(f"this is Podman {service.version}: the page may say less than it can")
    assert PODMAN.version == service.version
