"""EnsureContainer on real engines: made once, changed where it differs, and left alone where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jobs.containers import (
    SICK,
    SLEEP,
    WELL,
    ensure,
    inspect,
    messages_at_once,
    name,
    network,
    of,
    refused,
    running,
    wish,
)
from tests.jobs.engines import own
from tests.lab.at_once import beside
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.waiting import wait_until

__all__ = ["name", "own"]
pytestmark = pytest.mark.engine


FIELDS: list[dict[str, Any]] = [
    {},
    {"env": {"A": "1", "B": "x=y"}, "labels": {"team": "web", "n": 1}},
    {"user": "1000:1000", "workingDir": "/tmp/"},
    {"ports": ["80", "127.0.0.1:18080:81", "53/udp"]},
    {"volumes": ["NAME-data:/data/", "/tmp:/host:ro"], "restart": "on-failure:3"},
    {"memoryMb": 64, "cpus": 0.5},
    {"healthcheck": WELL},
    {"healthcheck": {"disabled": True}},
    {"entrypoint": ["sleep"], "command": "600"},
    {"settings": {"Hostname": "web", "StopSignal": "15", "StopTimeout": 1, "Tty": True, "OpenStdin": True}},
    {"settings": {"ExposedPorts": {"80": {}}, "Volumes": {"/anonymous": {}}, "User": None, "Labels": {}}},
    {
        "settings": {
            "HostConfig": {
                "CapAdd": ["net_admin", "CAP_SYS_TIME"],
                "CapDrop": ["all"],
                "Ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 200}],
                "Tmpfs": {"/run/": "size=1m"},
                "Devices": [
                    {"PathOnHost": "/dev/null", "PathInContainer": "/dev/nothing", "CgroupPermissions": "r"}
                ],
                "ExtraHosts": ["a:10.0.0.1", "b:10.0.0.2"],
                "Dns": ["1.1.1.1", "8.8.8.8"],
                "DnsSearch": ["example.org"],
                "Sysctls": {"net.ipv4.ip_forward": "1"},
                "SecurityOpt": ["no-new-privileges"],
                "GroupAdd": ["10", "11"],
                "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
                "Mounts": [{"Type": "volume", "Source": "NAME-m", "Target": "/m", "ReadOnly": True}],
            }
        }
    },
    {
        "settings": {
            "HostConfig": {
                "ShmSize": 0,
                "PidsLimit": 50,
                "IpcMode": "",
                "Runtime": "",
                "Init": True,
                "ReadonlyRootfs": True,
                "OomScoreAdj": 10,
                "NetworkMode": "default",
                "CpuShares": 512,
                "CpuQuota": 50_000,
                "CpuPeriod": 100_000,
                "BlkioWeight": 0,
                "MemorySwappiness": -1,
                "Binds": ["NAME-b:/b:rw", "/anonymous-too"],
            }
        }
    },
    {"settings": {"HostConfig": {"NetworkMode": "host", "PidMode": "host", "UTSMode": "host"}}},
    {"settings": {"HostConfig": {"NetworkMode": "none"}}},
    {"state": "present", "settings": {"HostConfig": {"Privileged": True}}},
    {"networks": [{"name": "NAME-n", "aliases": ["shop"]}]},
    {"settings": {"Entrypoint": [""], "Env": ["BARE", "A=1", "A=2"], "Domainname": "example.org"}},
]


def fit(value: Any, name: str) -> Any:
    """Put a name into a wish."""
    if isinstance(value, dict):
        return {fit(key, name): fit(item, name) for key, item in value.items()}
    if isinstance(value, list):
        return [fit(item, name) for item in value]
    return value.replace("NAME", name) if isinstance(value, str) else value


@pytest.mark.parametrize("compare", ["given", "strict"])
@pytest.mark.parametrize("fields", FIELDS, ids=lambda fields: str(fields)[:60])
def test_repeat_three_times_changes_once(
    own: LabEngine, name: str, fields: dict[str, Any], compare: str
) -> None:
    network(own, f"{name}-n")
    given = fit(fields, name) | {"compare": compare}
    first, second, third = (ensure(own, name, **given) for _ in range(3))

    state = "created" if given.get("state") == "present" else "running"
    assert (first["action"], first["changed"], first["container"]["state"]) == ("created", True, state)
    assert [told["differences"] for told in (first, second, third)] == [[], [], []]
    assert [told["action"] for told in (second, third)] == ["none", "none"]
    assert not second["changed"]
    assert not any("keeps it otherwise" in warning for warning in first["warnings"])
    assert of(own, name) == [name]


def test_repeat_after_the_engine_has_restarted_changes_nothing(own: LabEngine, name: str) -> None:
    network(own, f"{name}-n")
    wishes = {f"{name}-{number}": fit(fields, name) for number, fields in enumerate(FIELDS)}
    for one, fields in wishes.items():
        ensure(own, one, **{**fields, "state": "present"})
    own.stop()
    own.start()
    told = {one: ensure(own, one, **{**fields, "state": "present"}) for one, fields in wishes.items()}

    assert {one: body["differences"] for one, body in told.items() if body["changed"]} == {}


CHANGES: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"memoryMb": 64}, {"memoryMb": 32}, "updated", "HostConfig.Memory"),
    ({"memoryMb": 32}, {"memoryMb": 64}, "updated", "HostConfig.Memory"),
    ({"cpus": 1}, {"cpus": 0.5}, "updated", "HostConfig.NanoCpus"),
    ({"restart": "always"}, {"restart": "no"}, "updated", "HostConfig.RestartPolicy"),
    (
        {"settings": {"HostConfig": {"PidsLimit": 50}}},
        {"settings": {"HostConfig": {"PidsLimit": 0}}},
        "updated",
        "HostConfig.PidsLimit",
    ),
    ({"env": {"A": "1"}}, {"env": {"A": "2"}}, "recreated", "Env.A"),
    ({"labels": {"a": "1"}}, {"labels": {"a": "2"}}, "recreated", "Labels.a"),
    ({"ports": ["80"]}, {"ports": ["127.0.0.1:18081:80"]}, "recreated", "HostConfig.PortBindings.80/tcp"),
    ({"volumes": ["NAME-a:/data"]}, {"volumes": ["NAME-b:/data"]}, "recreated", "Mounts./data"),
    ({"command": ["sleep", "601"]}, {}, "recreated", "Cmd"),
    ({"cpus": 0.5}, {"settings": {"HostConfig": {"CpuQuota": 70_000}}}, "recreated", "HostConfig.CpuQuota"),
    ({"healthcheck": WELL}, {"healthcheck": {**WELL, "retries": 9}}, "recreated", "Healthcheck.Retries"),
]


@pytest.mark.parametrize(("before", "after", "action", "path"), CHANGES, ids=str)
def test_dry_run_is_the_plan_of_a_run_that_succeeds(
    own: LabEngine, name: str, before: dict[str, Any], after: dict[str, Any], action: str, path: str
) -> None:
    ensure(own, name, **fit(before, name))
    first, given = inspect(own, name), fit(after, name)
    planned = ensure(own, name, {"dryRun": True}, **given)
    now = inspect(own, name)
    assert all(now[part] == first[part] for part in ("Id", "Config", "HostConfig"))
    told = ensure(own, name, **given)

    assert (told["action"], [one["path"] for one in told["differences"]]) == (action, [path])
    assert (planned["action"], planned["differences"]) == (action, told["differences"])
    assert [one["action"] for one in planned["plan"]] == [one["action"] for one in told["plan"]]
    assert (inspect(own, name)["Id"] == first["Id"]) == (action == "updated")
    assert ensure(own, name, **given)["action"] == "none"
    assert of(own, name) == [name]


def test_dry_run_of_a_container_that_is_missing_makes_nothing(own: LabEngine, name: str) -> None:
    network(own, f"{name}-n")
    given = {"networks": [{"name": f"{name}-n"}, {"name": "bridge"}]}
    planned = ensure(own, name, {"dryRun": True, "accessMode": "readOnly"}, **given)

    assert (planned["action"], planned["changed"], of(own, name)) == ("created", False, [])
    assert [one["action"] for one in planned["plan"]] == ["create", "connect", "start"]


def test_read_only_changes_nothing(own: LabEngine, name: str) -> None:
    assert refused(own, name, {"accessMode": "readOnly"})[0] == "ReadOnly"
    ensure(own, name)
    before = inspect(own, name)
    for fields in ({"memoryMb": 64}, {"env": {"A": "1"}}, {"state": "stopped"}, {"state": "absent"}):
        assert refused(own, name, {"accessMode": "readOnly"}, **fields)[0] == "ReadOnly"
    assert inspect(own, name) == before
    assert ensure(own, name, {"accessMode": "readOnly"})["action"] == "none"


def test_networks_are_connected_and_disconnected_where_it_is(own: LabEngine, name: str) -> None:
    one, two = network(own, f"{name}-1", "10.97.1.0/24"), network(own, f"{name}-2", "10.97.2.0/24")
    ensure(own, name, networks=[{"name": one}])
    identity = inspect(own, name)["Id"]
    both = [{"name": one}, {"name": two, "aliases": ["shop"], "ip": "10.97.2.9"}]
    told = ensure(own, name, networks=both)

    assert (told["action"], [entry["effect"] for entry in told["differences"]]) == ("updated", ["connect"])
    assert told["container"]["networks"][two] == "10.97.2.9"
    assert ensure(own, name, networks=both)["action"] == "none"

    both[1] = {"name": two, "aliases": ["shop", "store"], "ip": "10.97.2.10"}
    told = ensure(own, name, networks=both)
    assert [entry["effect"] for entry in told["differences"]] == ["reconnect", "reconnect"]
    assert told["container"]["networks"][two] == "10.97.2.10"

    assert ensure(own, name, networks=[{"name": one}])["action"] == "none"
    told = ensure(own, name, networks=[{"name": one}], compare="strict")
    assert (list(told["container"]["networks"]), told["action"]) == ([one], "updated")
    assert inspect(own, name)["Id"] == identity


def test_one_that_is_made_anew_keeps_what_the_input_leaves_out(own: LabEngine, name: str) -> None:
    one, two = network(own, f"{name}-1"), network(own, f"{name}-2")
    ensure(
        own,
        name,
        env={"KEPT": "1", "A": "1"},
        volumes=[f"{name}-v:/v"],
        networks=[{"name": one}, {"name": two}],
        memoryMb=64,
    )
    told = ensure(own, name, env={"A": "2"})
    now = inspect(own, name)

    assert told["action"] == "recreated"
    assert {"KEPT=1", "A=2"} <= set(now["Config"]["Env"])
    assert [mount["Name"] for mount in now["Mounts"]] == [f"{name}-v"]
    assert set(now["NetworkSettings"]["Networks"]) == {one, two}
    assert now["HostConfig"]["Memory"] == 64 << 20


def test_strict_takes_away_what_is_not_given(own: LabEngine, name: str) -> None:
    ensure(own, name, env={"A": "1", "MORE": "1"}, memoryMb=64, volumes=[f"{name}-v:/v"])
    told = ensure(own, name, env={"A": "1"}, compare="strict")

    assert {one["path"] for one in told["differences"]} == {"Env.MORE", "HostConfig.Memory", "Mounts./v"}
    assert ensure(own, name, env={"A": "1"}, compare="strict")["action"] == "none"


def test_a_bad_new_one_fails_and_the_old_one_runs_again(own: LabEngine, name: str) -> None:
    ensure(own, name, restart="always")
    before = inspect(own, name)
    error, text = refused(own, name, command=["sh", "-c", "echo broken; exit 7"], restart="no")
    now = inspect(own, name)

    assert (error, "runs again" in text, "7" in text) == ("RolledBack", True, True)
    assert (now["Id"], now["State"]["Running"]) == (before["Id"], True)
    assert now["HostConfig"]["RestartPolicy"]["Name"] == "always"


def test_a_bad_one_in_the_place_of_one_that_was_stopped_fails_too(own: LabEngine, name: str) -> None:
    ensure(own, name, state="stopped")
    before = inspect(own, name)
    error = refused(own, name, command=["false"])

    assert error[0] == "RolledBack"
    assert (inspect(own, name)["Id"], inspect(own, name)["State"]["Running"]) == (before["Id"], False)


def test_states(own: LabEngine, name: str) -> None:
    assert ensure(own, name, state="present")["container"]["state"] == "created"
    assert ensure(own, name)["action"] == "started"
    assert ensure(own, name, state="present")["action"] == "none"
    own.wire.do("POST", f"/containers/{name}/pause")
    told = ensure(own, name)
    assert (told["action"], told["container"]["state"]) == ("started", "running")
    assert ensure(own, name, state="stopped")["action"] == "stopped"
    assert ensure(own, name, state="stopped")["action"] == "none"
    assert ensure(own, name, state="absent")["action"] == "removed"
    assert (ensure(own, name, state="absent")["action"], of(own, name)) == ("none", [])


def test_healthy_succeeds_once_its_check_says_so(own: LabEngine, name: str) -> None:
    told = ensure(own, name, state="healthy", healthcheck=WELL)

    assert (told["container"]["health"], ensure(own, name, state="healthy")["action"]) == ("healthy", "none")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"state": "healthy", "healthcheck": SICK}, "NotReached"),
        ({"state": "healthy"}, "NotReached"),
        ({"command": ["sh", "-c", "exit 3"]}, "NotReached"),
        ({"command": ["/no/such/program"]}, "NotStarted"),
        ({"image": "nowhere/nothing:1", "pull": "never"}, "NotFound"),
        ({"name": "a"}, "BadInput"),
        ({"ports": ["80:http"]}, "BadInput"),
        ({"restart": "sometimes"}, "BadInput"),
        ({"settings": {"HostConfig": {"AutoRemove": True}}}, "BadInput"),
        ({"image": ""}, "BadInput"),
    ],
    ids=str,
)
def test_what_cannot_be_fails_with_its_reason(
    own: LabEngine, name: str, fields: dict[str, Any], error: str
) -> None:
    assert refused(own, name, **fields)[0] == error


def test_never_tells_the_differences_and_changes_nothing(own: LabEngine, name: str) -> None:
    ensure(own, name, env={"A": "old-value"})
    before = inspect(own, name)
    error, text = refused(own, name, env={"A": "new-value"}, recreate="never")

    assert (error, "Env.A" in text) == ("Differs", True)
    assert not any(secret in text for secret in ("old-value", "new-value"))
    assert inspect(own, name) == before


def test_always_makes_it_anew_and_ignored_paths_do_not(own: LabEngine, name: str) -> None:
    ensure(own, name, env={"A": "1"})
    identity = inspect(own, name)["Id"]

    assert ensure(own, name, env={"A": "2"}, ignore=["Env.A"])["action"] == "none"
    assert ensure(own, name, env={"A": "1"}, recreate="always")["action"] == "recreated"
    assert inspect(own, name)["Id"] != identity


def test_another_image_under_the_tag(own: LabEngine, name: str) -> None:
    tag = {"repo": "moving", "tag": "1"}
    own.wire.do("POST", f"/images/{IMAGE}/tag", **tag)
    ensure(own, name, image="moving:1")
    own.wire.do("POST", "/commit", container=name, **tag)

    assert ensure(own, name, image="moving:1", imageChange="ignore")["action"] == "none"
    told = ensure(own, name, image="moving:1")
    assert (told["action"], [one["path"] for one in told["differences"]]) == ("recreated", ["Image"])
    assert ensure(own, name, image="moving:1")["action"] == "none"


def test_anonymous_volumes_go_over_or_nothing_happens(own: LabEngine, name: str) -> None:
    data = {"settings": {"Volumes": {"/data": {}}}}
    ensure(own, name, **data)
    (volume,) = (mount["Name"] for mount in inspect(own, name)["Mounts"])
    for tone in ("1", "2"):
        ensure(own, name, **data, labels={"tone": tone})
        assert [mount["Name"] for mount in inspect(own, name)["Mounts"]] == [volume]
    before = inspect(own, name)

    for fields in (
        {"labels": {"tone": "3"}, "keepAnonymousVolumes": False},
        {"volumes": [f"{name}-v:/data"]},
    ):
        error, text = refused(own, name, **fields)
        assert (error, "/data" in text) == ("WouldDestroy", True)
    assert inspect(own, name) == before
    told = ensure(own, name, volumes=[f"{name}-v:/data"], allowDataLoss=True)
    assert (told["action"], inspect(own, name)["Mounts"][0]["Name"]) == ("recreated", f"{name}-v")


def test_a_task_of_a_swarm_is_a_conflict(own: LabEngine, name: str) -> None:
    own.create(SLEEP, name=name, Labels={"com.docker.swarm.task.id": "x"})

    for state in ("running", "absent"):
        error, text = refused(own, name, state=state)
        assert (error, "task of a swarm service" in text) == ("Conflict", True)
    assert of(own, name) == [name]


def test_one_that_another_run_replaces_is_a_conflict(own: LabEngine, name: str) -> None:
    own.create(SLEEP, name=f"{name}.next-0123abcd")

    assert refused(own, name)[0] == "Conflict"
    assert of(own, name) == [f"{name}.next-0123abcd"]


def test_two_at_once_make_it_once(own: LabEngine, name: str) -> None:
    told = messages_at_once(own, [wish(name) for _ in range(4)])

    assert {body["container"]["id"] for body in told} == {inspect(own, name)["Id"]}
    assert [body["action"] for body in told].count("created") == 1
    assert of(own, name) == [name]


def test_two_flows_at_once_leave_one_container(own: LabEngine, name: str) -> None:
    ensure(own, name)
    told = messages_at_once(
        own, [wish(name, env={"A": str(number)}) for number in range(3)], errors={"Conflict"}
    )
    now = inspect(own, name)

    assert now["State"]["Running"]
    assert of(own, name) == [name]
    assert any(one.startswith("A=") for one in now["Config"]["Env"] or ()) == bool(told)


def test_two_deliveries_at_once_replace_it_once(own: LabEngine, name: str) -> None:
    ensure(own, name)
    body = wish(name, env={"A": "1"}, idempotencyKey="same")
    told = messages_at_once(own, [body for _ in range(3)])

    assert [one["action"] for one in told] == ["recreated"] * 3
    assert {one["container"]["id"] for one in told} == {inspect(own, name)["Id"]}
    assert "A=1" in inspect(own, name)["Config"]["Env"]
    assert of(own, name) == [name]


def test_one_that_is_being_removed_is_waited_for(own: LabEngine, name: str) -> None:
    ensure(own, name)
    old = inspect(own, name)["Id"]
    removal = beside(own.wire.ask, "DELETE", f"/containers/{name}", force=True)
    wait_until(lambda: not running(own, name), "it goes")
    ensure(own, name)
    removal.result()

    assert inspect(own, name)["Id"] != old
