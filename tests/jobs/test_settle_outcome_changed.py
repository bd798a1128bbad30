"""SettleOutcome where something else has happened since: no verdict on another object, none on another call."""

from __future__ import annotations

import os
import secrets
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import pytest

from lib.job.settle.settled import PROOFS
from tests.actions.stepping import run_step
from tests.jobs.engines import config, own
from tests.jobs.finding import done
from tests.jobs.test_settle_outcome import Body, container, later, network, new, settle, tag, volume, wanted
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.waiting import wait_until

__all__ = ["own"]
pytestmark = pytest.mark.engine
ANOTHER = "f" * 64
"""The id of something on another engine."""


def now() -> str:
    return f"{time.time():.9f}"


def verdict(own: LabEngine, operation: str, fields: Any, **more: Any) -> tuple[str, str]:
    told = settle(own, operation, fields, **more)
    return told["outcome"], told["next"]


def does(own: LabEngine, key: str, fields: Any, **settings: Any) -> Any:
    return done(run_step(key, fields, config(own, errorPolicy="throwError", **settings)))


# --- names that belong to something else by now ---


def test_a_name_that_another_container_has_now_is_not_looked_at(own: LabEngine) -> None:
    name, since = container(own), f"{time.time() - 5:.6f}"
    own.remove(name)
    own.create(("sleep", "600"), name=name)
    for operation in (
        "ContainerStart",
        "ContainerStop",
        "ContainerKill",
        "ContainerRestart",
        "ContainerPause",
    ):
        told = settle(own, operation, {"id": name}, since=since)
        assert (told["outcome"], told["next"]) == ("unknown", "ask"), told
        assert "another container" in told["proof"]
    own.remove(name)


def test_a_rename_succeeds_though_the_old_name_is_taken_again(own: LabEngine) -> None:
    name, since = container(own, runs=False), now()
    fields = {"id": name, "name": new()}
    does(own, "ContainerRename", fields)
    own.create(("true",), name=name)
    assert verdict(own, "ContainerRename", fields, since=since) == ("happened", "goOn")
    own.wire.do("POST", f"/containers/{fields['name']}/rename", name=new())
    assert verdict(own, "ContainerRename", fields, since=since) == ("happened", "ask")
    own.remove(name)


def test_a_rename_that_another_container_has_made_is_none(own: LabEngine) -> None:
    first, second, since = container(own, runs=False), container(own, runs=False), now()
    taken = new()
    own.wire.do("POST", f"/containers/{second}/rename", name=taken)
    assert verdict(own, "ContainerRename", {"id": first, "name": taken}, since=since) == (
        "didNotHappen",
        "ask",
    )


@pytest.mark.parametrize("key", ["VolumeDelete", "NetworkDelete", "ContainerDelete"])
def test_what_was_made_anew_is_not_deleted_by_a_repeat(own: LabEngine, key: str) -> None:
    make: Any = {"VolumeDelete": volume, "NetworkDelete": network, "ContainerDelete": container}[key]
    name, since = make(own), now()
    fields: Body = {"name" if key == "VolumeDelete" else "id": name}
    fields |= {"force": True} if key == "ContainerDelete" else {}
    does(own, key, fields)
    kind = key.removesuffix("Delete").lower()
    body = {"Image": IMAGE} if kind == "container" else {"Name": name}
    own.wire.do("POST", f"/{kind}s/create", body, name=name)
    assert verdict(own, key, fields, since=since) == ("happened", "ask")
    own.wire.do("DELETE", f"/{kind}s/{name}")


def test_an_image_that_was_tagged_anew_is_not_deleted_by_a_repeat(own: LabEngine) -> None:
    name, since = tag(own), now()
    own.wire.do("DELETE", f"/images/{name}")
    own.wire.do("POST", f"/images/{IMAGE}/tag", repo=name.partition(":")[0], tag="1")
    outcome, then = verdict(own, "ImageDelete", {"name": name}, since=since)
    assert then == "ask"
    assert outcome in ("unknown", "happened")  # containerd's store tells the name that was taken away


def test_a_tag_that_was_moved_since_is_told(own: LabEngine) -> None:
    fields, since = {"name": IMAGE, "repo": new(), "tag": "1"}, now()
    does(own, "ImageTag", fields)
    other = own.import_image(f"{new()}:1")
    own.wire.do("POST", f"/images/{other}/tag", repo=fields["repo"], tag="1")
    assert verdict(own, "ImageTag", fields, since=since) == ("happened", "ask")


# --- states that have changed again, and calls that look alike ---


def test_what_was_stopped_and_runs_again_is_told(own: LabEngine) -> None:
    name, since = container(own), now()
    for operation, call in (("ContainerStop", "stop"), ("ContainerKill", "kill")):
        own.wire.do("POST", f"/containers/{name}/{call}")
        own.wait(name)
        own.wire.do("POST", f"/containers/{name}/start")
        assert verdict(own, operation, {"id": name}, since=since) == ("happened", "ask")
    assert verdict(own, "ContainerStart", {"id": name}, since=since) == ("happened", "goOn")
    own.remove(name)


def test_what_is_still_being_stopped_is_unknown(own: LabEngine) -> None:
    name, since = container(own, StopSignal="SIGHUP"), now()  # which sleep ignores as process 1
    with ThreadPoolExecutor() as pool:
        stopping = pool.submit(own.wire.do, "POST", f"/containers/{name}/stop", t=300)
        wait_until(lambda: signals(own, since), "the signal of the stop")
        assert verdict(own, "ContainerStop", {"id": name}, since=since) == ("unknown", "repeat")
        assert verdict(own, "ContainerRestart", {"id": name}, since=since) == ("unknown", "ask")
        own.wire.do("POST", f"/containers/{name}/kill")
        stopping.result()
    assert verdict(own, "ContainerStop", {"id": name}, since=since) == ("happened", "goOn")
    own.remove(name)


def signals(own: LabEngine, since: str) -> list[Any]:
    told = own.wire.do("GET", "/events", since=since, until=str(int(time.time()) + 1)).lines()
    return [one for one in told if one["Action"] == "kill"]


def test_a_container_that_goes_when_it_ends_was_stopped(own: LabEngine) -> None:
    name, since = container(own, HostConfig={"AutoRemove": True}), now()
    own.wire.do("POST", f"/containers/{name}/stop")
    wait_until(
        lambda: own.wire.ask("GET", f"/containers/{name}/json").status == HTTPStatus.NOT_FOUND, "the removal"
    )
    assert verdict(own, "ContainerStop", {"id": name}, since=since) == ("happened", "goOn")
    assert verdict(own, "ContainerPause", {"id": name}, since=since) == ("unknown", "ask")


def test_a_restart_policy_is_no_restart(own: LabEngine) -> None:
    name = new()
    policy = {"RestartPolicy": {"Name": "always"}}
    since = now()
    own.run(("sh", "-c", "sleep 600"), name=name, HostConfig=policy)

    def restarts() -> int:
        return int(own.wire.do("GET", f"/containers/{name}/json").json()["RestartCount"])

    pid = own.wire.do("GET", f"/containers/{name}/json").json()["State"]["Pid"]
    end_of(pid)
    wait_until(restarts, "the policy to start it again")
    assert verdict(own, "ContainerRestart", {"id": name}, since=since) == ("didNotHappen", "repeat")
    own.remove(name)


def end_of(pid: int) -> None:
    """End the program of a container from outside, as a crash would; the engine did not ask for it."""
    os.kill(pid, signal.SIGKILL)


def test_another_signal_is_not_the_one_in_doubt(own: LabEngine) -> None:
    name, since = container(own), now()
    own.wire.do("POST", f"/containers/{name}/kill", signal="HUP")
    for name_of_it, outcome in (
        ("USR1", "didNotHappen"),
        ("1", "happened"),
        ("hup", "happened"),
        ("TERM", "didNotHappen"),
    ):
        told = verdict(own, "ContainerKill", {"id": name, "signal": name_of_it}, since=since)
        assert told[0] == outcome, name_of_it
    own.remove(name)


def test_settings_that_were_changed_again_are_told(own: LabEngine) -> None:
    name = container(own)
    fields: Body = {"id": name, "requestBody": {"CpuShares": 512, "Memory": 0, "CpusetCpus": ""}}
    assert verdict(own, "ContainerUpdate", fields, since=now()) == ("didNotHappen", "repeat")
    since = now()
    does(own, "ContainerUpdate", fields)
    assert verdict(own, "ContainerUpdate", fields, since=since) == ("happened", "goOn")
    assert verdict(own, "ContainerUpdate", fields, since=now()) == ("didNotHappen", "goOn")
    own.wire.do("POST", f"/containers/{name}/update", {"CpuShares": 256})
    assert verdict(own, "ContainerUpdate", fields, since=since) == ("happened", "ask")
    own.remove(name)


def test_an_endpoint_with_other_settings_is_unknown(own: LabEngine) -> None:
    net, target = network(own), container(own)
    own.wire.do("POST", f"/networks/{net}/connect", {"Container": target})
    body = {"Container": target, "EndpointConfig": {"Aliases": ["web"]}}
    assert verdict(own, "NetworkConnect", {"id": net, "requestBody": body}) == ("unknown", "ask")
    own.remove(target)


def test_the_network_of_a_container_that_does_not_run_is_found_by_its_id(own: LabEngine) -> None:
    net, target = network(own), container(own, runs=False)
    identity = own.wire.do("GET", f"/networks/{net}").json()["Id"]
    fields = {"id": identity, "requestBody": {"Container": target}}
    assert verdict(own, "NetworkConnect", fields) == ("didNotHappen", "repeat")
    does(own, "NetworkConnect", fields)
    assert verdict(own, "NetworkConnect", fields) == ("happened", "goOn")
    own.remove(target)


def test_a_volume_that_was_there_before_is_taken_if_it_is_as_wanted(own: LabEngine) -> None:
    name = volume(own)
    since = later()
    fields: Body = {"requestBody": {"Name": name}}
    assert verdict(own, "VolumeCreate", fields, since=since) == ("didNotHappen", "goOn")
    fields["requestBody"]["Labels"] = {"a": "b"}
    assert verdict(own, "VolumeCreate", fields, since=since) == ("didNotHappen", "ask")


# --- ids of another engine ---


@pytest.mark.parametrize("operation", sorted(PROOFS))
def test_an_id_of_another_engine_never_happened(own: LabEngine, operation: str) -> None:
    """Neither do names that no object of this one has."""
    since = now()
    fields = dict.fromkeys(("id", "name", "container", "repo", "remote", "t"), ANOTHER)
    fields |= {"fromImage": f"{ANOTHER}:1", "signal": "HUP", "tag": "1"}
    body = {"Name": ANOTHER, "Container": ANOTHER, "Cmd": [ANOTHER], "Image": ANOTHER}
    outcome = run_step(
        "SettleOutcome",
        {"operation": operation, "fields": {**fields, "requestBody": body}, "since": since},
        config(own, errorPolicy="emit"),
    )
    (told,) = outcome.bodies
    if "error" in told:  # of a swarm that this engine is not in
        assert told["error"]["name"] in ("NoManager", "EngineFault", "BadInput", "Refused", "NotFound"), told
    elif operation != "SwarmLeave":  # which says what is so
        assert told["outcome"] != "happened", told


def test_a_creation_older_than_one_of_the_same_name_is_told_by_its_mark(own: LabEngine) -> None:
    """Of two networks of one name, which old engines have, that of the run is found."""
    fields = {"requestBody": {"Name": new(), "CheckDuplicate": False}}
    told = run_step(
        "NetworkCreate", fields, config(own, markRun=True), headers={"messageId": secrets.token_hex(8)}
    )
    (body,) = told.bodies
    own.wire.ask("POST", "/v1.41/networks/create", fields["requestBody"])
    run = own.wire.do("GET", f"/networks/{body['Id']}").json()["Labels"]["docker-engine-connector.run"]
    found = settle(own, "NetworkCreate", fields, error={"name": "OutcomeUnknown", "run": run})
    assert (found["outcome"], found["object"]["id"]) == ("happened", body["Id"])
    assert verdict(own, "ContainerCreate", wanted(), error={"run": run}) == ("didNotHappen", "repeat")
