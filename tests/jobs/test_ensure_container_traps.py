"""What engines do otherwise than one would think, and EnsureContainer all the same."""

from __future__ import annotations

import pytest

from tests.jobs.containers import KEY, SLEEP, WELL, ensure, inspect, name, network, of, refused, running, wish
from tests.jobs.crash import Delivery
from tests.jobs.engines import own
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until

__all__ = ["name", "own"]
pytestmark = pytest.mark.engine


def test_trap_8_published_ports_are_exposed(own: LabEngine, name: str) -> None:
    ensure(own, name, settings={"HostConfig": {"PortBindings": {"80": [{"HostPort": "18083"}]}}})

    assert inspect(own, name)["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"] == "18083"


def test_trap_9_a_limit_is_taken_away_by_a_new_container(own: LabEngine, name: str) -> None:
    ensure(own, name, memoryMb=64)
    told = ensure(own, name, memoryMb=0)

    assert (told["action"], inspect(own, name)["HostConfig"]["Memory"]) == ("recreated", 0)
    assert ensure(own, name, memoryMb=0)["action"] == "none"


def test_trap_10_a_mac_address_that_was_asked_for_stays(own: LabEngine, name: str) -> None:
    mac = "02:42:ac:11:22:44"
    own.run(SLEEP, name=name, MacAddress=mac)
    ensure(own, name, env={"A": "1"})

    assert inspect(own, name)["NetworkSettings"]["Networks"]["bridge"]["MacAddress"] == mac


def test_trap_11_a_name_is_no_beginning_of_an_id(own: LabEngine, name: str) -> None:
    other = own.create(SLEEP, name=name)
    short = other[:12]
    told = ensure(own, short)

    assert (told["action"], told["container"]["name"]) == ("created", short)
    assert inspect(own, other)["Name"] == f"/{name}"
    own.remove(told["container"]["id"])


def test_trap_13_a_volume_that_is_missing_comes_with_the_container(own: LabEngine, name: str) -> None:
    ensure(own, name, volumes=[f"{name}-v:/v"])

    assert own.wire.do("GET", f"/volumes/{name}-v").json()["Name"] == f"{name}-v"
    assert ensure(own, name, volumes=[f"{name}-v:/v"])["action"] == "none"


def test_trap_19_a_namespace_is_compared_by_id(own: LabEngine, name: str) -> None:
    base = f"{name}-base"
    ensure(own, base)
    side = {"settings": {"HostConfig": {"NetworkMode": f"container:{base}", "PidMode": f"container:{base}"}}}
    ensure(own, f"{name}-side", **side)
    assert ensure(own, f"{name}-side", **side)["action"] == "none"

    ensure(own, base, env={"A": "1"})
    told = ensure(own, f"{name}-side", **side)
    paths = {one["path"] for one in told["differences"]}
    assert (told["action"], paths) == ("recreated", {"HostConfig.NetworkMode", "HostConfig.PidMode"})
    assert ensure(own, f"{name}-side", **side)["action"] == "none"


def test_trap_22_a_value_of_the_image_stays_the_images(own: LabEngine, name: str) -> None:
    for number, tone in enumerate(("dark", "light")):
        own.create(SLEEP, name=f"{name}-source-{number}", Labels={"tone": tone}, Env=[f"TONE={tone}"])
        own.wire.do("POST", "/commit", container=f"{name}-source-{number}", repo="painted", tag=str(number))
    ensure(own, name, image="painted:0", env={"A": "1"})
    ensure(own, name, image="painted:1", pull="never")
    now = inspect(own, name)["Config"]

    assert {"TONE=light", "A=1"} <= set(now["Env"])
    assert now["Labels"]["tone"] == "light"


def test_trap_2_one_that_removes_itself_fails_before_anything_happens(own: LabEngine, name: str) -> None:
    own.run(SLEEP, name=name, HostConfig={"AutoRemove": True})
    before = inspect(own, name)
    error, text = refused(own, name, env={"A": "1"})

    assert (error, "no way back" in text) == ("BadInput", True)
    assert inspect(own, name) == before
    assert ensure(own, name, state="absent")["action"] == "removed"


def test_trap_3_a_refused_start_is_none(own: LabEngine, name: str) -> None:
    bad = ["/no/such/program"]
    assert [refused(own, name, command=bad)[0] for _ in range(2)] == ["NotStarted", "NotStarted"]
    now = inspect(own, name)["State"]
    assert (now["Status"], now["StartedAt"][:4], now["ExitCode"] in (127, 128)) == ("created", "0001", True)

    told = ensure(own, name)
    assert (told["action"], told["container"]["state"]) == ("recreated", "running")
    assert of(own, name) == [name]


LOOP = ["sh", "-c", "exit 1"]
ONCE = ["sh", "-c", "test -e /seen && exec sleep 600; touch /seen; exit 1"]


def test_trap_4_a_restart_loop_fails_each_time(own: LabEngine, name: str) -> None:
    for _ in range(3):
        assert refused(own, name, command=LOOP, restart="always")[0] == "NotReached"
    assert of(own, name) == [name]


@pytest.mark.parametrize("state", ["running", "healthy"])
def test_trap_4_restarts_of_the_past_do_not_count(own: LabEngine, name: str, state: str) -> None:
    # Its first start ends, so making it fails; then it is steady, with a restart that it goes on telling.
    given = {"command": ONCE, "restart": "always", "healthcheck": WELL}
    refused(own, name, **given)
    wait_until(lambda: inspect(own, name)["State"]["Status"] == "running", "its policy has started it")
    told = ensure(own, name, **given, state=state)

    assert (told["action"], inspect(own, name)["RestartCount"]) == ("none", 1)


def test_trap_6_one_that_is_restarting_is_replaced(own: LabEngine, name: str) -> None:
    own.run(LOOP, name=name, HostConfig={"RestartPolicy": {"Name": "always"}})
    told = ensure(own, name, restart="no")

    assert (told["action"], told["container"]["state"], of(own, name)) == ("recreated", "running", [name])


def test_trap_7_the_old_one_stays_down_when_the_engine_is_started_again(own: LabEngine, name: str) -> None:
    ensure(own, name, restart="always")
    first = inspect(own, name)["Id"]
    body = wish(name, restart="always", env={"A": "1"})
    one = Delivery(own, KEY, body, {"errorPolicy": "throwError"})
    one.run((6, "before"))  # both have their new names, and the new one is not started
    own.stop()
    own.start()
    assert running(own, name) == []
    last = one.run()

    assert last.finished, last.errors
    assert (len(running(own, name)), of(own, name)) == (1, [name])
    assert inspect(own, name)["Id"] != first


def test_trap_8_a_port_that_is_taken_brings_the_old_one_back(own: LabEngine, name: str) -> None:
    ensure(own, f"{name}-other", ports=["127.0.0.1:18085:80"])
    ensure(own, name, ports=["127.0.0.1:18086:80"])
    before = inspect(own, name)
    error, text = refused(own, name, ports=["127.0.0.1:18085:80"])

    assert (error, "18085" in text) == ("RolledBack", True)
    now = inspect(own, name)
    assert (now["Id"], now["NetworkSettings"]["Ports"]) == (before["Id"], before["NetworkSettings"]["Ports"])


def test_trap_8_an_address_that_is_taken_leaves_the_old_one(own: LabEngine, name: str) -> None:
    one = network(own, f"{name}-1", "10.98.1.0/24")
    ensure(own, f"{name}-other", networks=[{"name": one, "ip": "10.98.1.9"}])
    given = [{"name": "bridge"}, {"name": one, "aliases": ["shop"], "ip": "10.98.1.8"}]
    ensure(own, name, networks=given)
    given[1] = {**given[1], "ip": "10.98.1.9"}
    error, text = refused(own, name, networks=given)

    assert (error == "Unauthorized", "ddress already in use" in text) == (False, True)
    end = inspect(own, name)["NetworkSettings"]["Networks"][one]
    assert (end["IPAddress"], "shop" in end["Aliases"]) == ("10.98.1.8", True)


def test_trap_12_a_network_that_was_made_anew_is_joined_again(own: LabEngine, name: str) -> None:
    given = {"networks": [{"name": network(own, f"{name}-1"), "aliases": ["shop"]}]}
    ensure(own, name, **given, state="stopped")
    own.wire.do("POST", "/networks/prune")
    network(own, f"{name}-1")
    told = ensure(own, name, **given)

    assert (told["container"]["state"], list(told["container"]["networks"])) == ("running", [f"{name}-1"])
    assert ensure(own, name, **given)["action"] == "none"


def test_trap_19_who_uses_its_network_is_named(own: LabEngine, name: str) -> None:
    ensure(own, name)
    ensure(own, f"{name}-side", settings={"HostConfig": {"NetworkMode": f"container:{name}"}})
    told = ensure(own, name, env={"A": "1"})

    assert any(f"{name}-side use the network of {name}" in warning for warning in told["warnings"])


def test_trap_20_without_a_check_nothing_is_healthy(own: LabEngine, name: str) -> None:
    ensure(own, name)
    assert refused(own, name, state="healthy")[0] == "NotReached"
    off = {"healthcheck": {"disabled": True}}
    assert refused(own, name, state="healthy", **off)[0] in ("NotReached", "RolledBack")


def test_trap_20_one_that_was_paused_or_stopped_is_looked_at_anew(own: LabEngine, name: str) -> None:
    ensure(own, name, state="healthy", healthcheck=WELL)
    for way in ("pause", "stop"):
        own.wire.do("POST", f"/containers/{name}/{way}", **({"t": 0} if way == "stop" else {}))
        told = ensure(own, name, state="healthy", healthcheck=WELL)
        assert (told["action"], told["container"]["health"]) == ("started", "healthy")


def test_trap_23_the_mark_of_a_long_input_is_short(own: LabEngine, name: str) -> None:
    given = {"labels": {"long": "x" * 2**20}}
    ensure(own, name, **given)
    labels = inspect(own, name)["Config"]["Labels"]

    assert (len(labels["long"]), len(labels["docker-engine-connector.spec"])) == (2**20, 64)
    assert ensure(own, name, **given)["action"] == "none"
