"""Each row of the comparison of containers: what is given in one way and told in another is no difference."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from lib.job.container.differences import differences, without
from lib.job.container.mounts import anonymous

IMAGE = {
    "Env": ["PATH=/bin", "LANG=C"],
    "Labels": {"maintainer": "shop"},
    "Cmd": ["serve"],
    "Entrypoint": ["/entry"],
    "User": "app",
    "WorkingDir": "/srv",
    "StopSignal": "SIGQUIT",
    "ExposedPorts": {"80/tcp": {}},
    "Volumes": {"/cache": {}},
    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 10**9},
}
TOLD: dict[str, Any] = {
    "Config": {
        **IMAGE,
        "Hostname": "4f1c0d9a5b3e",
        "Env": ["A=1", "A=2", "BARE", "PATH=/bin", "LANG=C"],
        "Labels": {"maintainer": "shop", "team": "web", "docker-engine-connector.run": "1"},
    },
    "HostConfig": {
        "PortBindings": {
            "80": [{"HostIp": "", "HostPort": ""}],
            "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}],
        },
        "Binds": ["data:/data:ro,z", "/srv/../etc:/conf/"],
        "Mounts": [
            {
                "Type": "volume",
                "Source": "logs",
                "Target": "/logs",
                "VolumeOptions": {"NoCopy": True, "Labels": None},
            }
        ],
        "CapAdd": ["CAP_NET_ADMIN", "sys_time"],
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
        "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}, {"Name": "core", "Soft": 0, "Hard": 0}],
        "Tmpfs": {"/tmp": "size=1m,rw"},
        "Dns": ["1.1.1.1", "8.8.8.8"],
        "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/null", "CgroupPermissions": "rwm"}],
        "Links": ["/db:/web/database"],
        "Sysctls": {"net.core.somaxconn": "128"},
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "token": "tell-nobody"}},
        "Memory": 64 << 20,
        "MemorySwap": 128 << 20,
        "NanoCpus": 5 * 10**8,
        "ShmSize": 64 << 20,
        "PidsLimit": 100,
        "IpcMode": "private",
        "MemorySwappiness": None,
        "Init": None,
    },
    "Mounts": [
        {"Type": "volume", "Name": "data", "Destination": "/data"},
        {"Type": "bind", "Source": "/etc", "Destination": "/conf"},
        {"Type": "volume", "Name": "logs", "Destination": "/logs"},
        {"Type": "volume", "Name": "c" * 64, "Destination": "/cache"},
        {"Type": "volume", "Name": "a" * 64, "Destination": "/anonymous"},
    ],
}


def host(**fields: Any) -> dict[str, Any]:
    return {"HostConfig": fields}


def found(body: dict[str, Any], told: Any = None, *, strict: bool = False) -> dict[str, str]:
    """Paths and effects of the differences."""
    return {one["path"]: one["effect"] for one in differences(body, told or TOLD, IMAGE, strict=strict)}


SAME = [
    {},
    {"Env": ["A=2", "LANG=C", "BARE"]},
    {"Env": ["A=0", "A=2"]},
    {"Labels": {"team": "web"}},
    {"Labels": None, "ExposedPorts": None},
    {"ExposedPorts": {"80": {}, "53/udp": {}}},
    {"Volumes": {"/anonymous/": {}}},
    {"Cmd": "serve"},
    {"Cmd": []},
    {"Entrypoint": ["/entry"], "Cmd": ["serve"]},
    {"User": ""},
    {"StopSignal": "3"},
    {"StopSignal": "quit"},
    {"WorkingDir": "/srv/"},
    {"WorkingDir": ""},
    {"Hostname": ""},
    {"Healthcheck": {"Interval": 10**9}},
    {"Healthcheck": {"Test": [], "Timeout": 0}},
    {"Tty": False, "OpenStdin": None},
    host(PortBindings={"80/tcp": [{"HostIp": "0.0.0.0"}]}),
    host(PortBindings={"80": None}),
    host(PortBindings={"53/udp": [{"HostIp": "127.0.0.1"}]}),
    host(Binds=["data:/data:z,ro"]),
    host(Binds=["/etc:/conf:rw"]),
    host(Binds=["/anonymous"]),
    host(Binds=["logs:/logs"]),
    host(Mounts=[{"Type": "bind", "Source": "/etc", "Target": "/conf"}]),
    host(
        Mounts=[{"Type": "volume", "Source": "logs", "Target": "/logs/", "VolumeOptions": {"NoCopy": True}}]
    ),
    host(Mounts=[{"Type": "volume", "Target": "/cache"}]),
    host(CapAdd=["SYS_TIME", "net_admin"]),
    host(RestartPolicy={"Name": "on-failure", "MaximumRetryCount": 3}),
    host(Ulimits=[{"Name": "core"}, {"Name": "nofile", "Hard": 2, "Soft": 1}]),
    host(Tmpfs={"/tmp/": "rw,size=1m"}),
    host(Dns=["8.8.8.8", "1.1.1.1"]),
    host(Devices=[{"PathOnHost": "/dev/null"}]),
    host(Links=["db:database"]),
    host(Sysctls={"net.core.somaxconn": 128}),
    host(LogConfig={"Type": "json-file", "Config": {"max-size": "1m"}}),
    host(LogConfig={"Type": "", "Config": {}}),
    host(Memory=64 << 20),
    host(MemorySwap=0, ShmSize=0, IpcMode="", CgroupnsMode="", Runtime=""),
    host(NanoCpus=5 * 10**8),
    host(CpuQuota=25_000, CpuPeriod=50_000),
    host(MemorySwappiness=-1),
    host(Init=False, Privileged=None),
    host(KernelMemory=1 << 20),
]
OTHER = [
    ({"Env": ["A=1", "NEW=1"]}, {"Env.A": "recreate", "Env.NEW": "recreate"}),
    ({"Env": ["BARE="]}, {"Env.BARE": "recreate"}),
    ({"Labels": {"team": "shop"}}, {"Labels.team": "recreate"}),
    ({"ExposedPorts": {"81": {}}}, {"ExposedPorts.81/tcp": "recreate"}),
    ({"Volumes": {"/other": {}}}, {"Mounts./other": "recreate"}),
    ({"Cmd": "serve all"}, {"Cmd": "recreate"}),
    ({"Entrypoint": [""]}, {"Cmd": "recreate", "Entrypoint": "recreate"}),
    ({"Entrypoint": []}, {"Entrypoint": "recreate"}),
    ({"Entrypoint": ["/entry"]}, {"Cmd": "recreate"}),  # an own one, so without the image's command
    ({"User": "root"}, {"User": "recreate"}),
    ({"StopSignal": "TERM"}, {"StopSignal": "recreate"}),
    ({"Hostname": "web"}, {"Hostname": "recreate"}),
    ({"Healthcheck": {"Test": ["NONE"]}}, {"Healthcheck.Test": "recreate"}),
    ({"Tty": True}, {"Tty": "recreate"}),
    (host(PortBindings={"80/tcp": [{"HostPort": "8080"}]}), {"HostConfig.PortBindings.80/tcp": "recreate"}),
    (host(PortBindings={"53/udp": [{}]}), {"HostConfig.PortBindings.53/udp": "recreate"}),
    (host(PortBindings={"80": [{}, {}]}), {"HostConfig.PortBindings.80/tcp": "recreate"}),
    (host(Binds=["data:/data"]), {"Mounts./data": "recreate"}),
    (host(Binds=["other:/logs"]), {"Mounts./logs": "recreate"}),
    (host(Binds=["data:/cache"]), {"Mounts./cache": "recreate"}),
    (host(CapAdd=["ALL"]), {"HostConfig.CapAdd": "recreate"}),
    (host(CapAdd=[]), {"HostConfig.CapAdd": "recreate"}),
    (host(RestartPolicy={"Name": ""}), {"HostConfig.RestartPolicy": "update"}),
    (host(RestartPolicy={"Name": "always", "MaximumRetryCount": 3}), {"HostConfig.RestartPolicy": "update"}),
    (host(Ulimits=[{"Name": "nofile", "Hard": 2, "Soft": 2}]), {"HostConfig.Ulimits": "recreate"}),
    (host(Tmpfs={"/tmp": ""}), {"HostConfig.Tmpfs": "recreate"}),
    (host(Dns=["8.8.8.8"]), {"HostConfig.Dns": "recreate"}),
    (host(Sysctls={"net.core.somaxconn": 129}), {"HostConfig.Sysctls.net.core.somaxconn": "recreate"}),
    (host(LogConfig={"Type": "local"}), {"HostConfig.LogConfig.Type": "recreate"}),
    (host(Memory=32 << 20), {"HostConfig.Memory": "update"}),
    (host(MemorySwap=-1), {"HostConfig.MemorySwap": "update"}),
    (host(CpuShares=512), {"HostConfig.CpuShares": "update"}),
    (host(NanoCpus=10**9), {"HostConfig.NanoCpus": "update"}),
    (host(CpuQuota=100_000), {"HostConfig.CpuQuota": "recreate"}),  # NanoCpus is set: one excludes the other
    (host(PidsLimit=0), {"HostConfig.PidsLimit": "update"}),
    (host(ShmSize=1 << 20), {"HostConfig.ShmSize": "recreate"}),
    (host(Init=True), {"HostConfig.Init": "recreate"}),
]


@pytest.mark.parametrize("body", SAME, ids=str)
def test_what_is_told_in_another_way_is_no_difference(body: dict[str, Any]) -> None:
    assert found(body) == {}


@pytest.mark.parametrize(("body", "wanted"), OTHER, ids=str)
def test_what_differs_is_told_with_what_takes_it_away(body: dict[str, Any], wanted: dict[str, str]) -> None:
    assert found(body) == wanted


@pytest.mark.parametrize(
    "limit", [{"Memory": 0}, {"NanoCpus": 0}, {"CpusetCpus": ""}, {"CpuShares": 0}], ids=str
)
def test_trap_9_a_limit_is_taken_away_by_making_it_anew(limit: dict[str, Any]) -> None:
    told = deepcopy(TOLD)
    told["HostConfig"] |= {"CpusetCpus": "0", "CpuShares": 512}

    assert found(host(**limit), told) == {f"HostConfig.{next(iter(limit))}": "recreate"}


def test_a_place_in_memory_without_options_is_one() -> None:
    told = deepcopy(TOLD)
    told["HostConfig"]["Tmpfs"] = {"/tmp": ""}

    assert found(host(Tmpfs={"/tmp": ""}), told) == {}
    assert found(host(Tmpfs={}), told) == {"HostConfig.Tmpfs": "recreate"}


def test_what_an_engine_adds_to_the_security_options_is_no_difference() -> None:
    told = deepcopy(TOLD)
    told["HostConfig"]["SecurityOpt"] = ["label=disable"]
    found_in = differences({}, told, IMAGE, strict=True)

    assert "HostConfig.SecurityOpt" not in {one["path"] for one in found_in}
    assert found(host(SecurityOpt=["label=disable"]), told) == {}
    assert found(host(SecurityOpt=["no-new-privileges"]), told) == {"HostConfig.SecurityOpt": "recreate"}


def test_strict_wants_all_else_as_image_and_engine_make_it() -> None:
    body = {
        "Env": ["A=2", "BARE"],
        "Labels": {"team": "web"},
        "Volumes": {"/anonymous": {}},
        "HostConfig": {**TOLD["HostConfig"], "LogConfig": {}},
    }
    assert found(body, strict=True) == {}

    told = deepcopy(TOLD)
    told["Config"] |= {
        "Env": ["A=2", "BARE", "MORE=1", "PATH=/bin"],
        "Labels": {"team": "web"},
        "User": "root",
    }
    told["HostConfig"] |= {"Privileged": True, "Binds": [*TOLD["HostConfig"]["Binds"], "more:/more"]}
    assert set(found(body, told, strict=True)) == {
        *("Env.MORE", "Env.LANG", "Labels.maintainer", "User"),
        *("HostConfig.Privileged", "Mounts./more"),
    }
    assert "HostConfig.NanoCpus" in found({}, strict=True)


def test_no_secret_is_in_a_difference() -> None:
    body = {
        "Env": ["A=new-secret"],
        **host(LogConfig={"Type": "json-file", "Config": {"token": "new-secret"}}),
    }
    told = deepcopy(TOLD)
    told["Config"]["Env"] = ["A=tell-nobody"]
    text = str(differences(body, told, IMAGE))

    assert "Env.A" in text
    assert "LogConfig.Config.token" in text
    assert not any(secret in text for secret in ("new-secret", "tell-nobody"))


def test_paths_are_ignored_with_all_below_them() -> None:
    body = {"Env": ["A=1", "AB=1"], **host(Memory=1, Dns=[])}
    all_of_them = differences(body, TOLD, IMAGE)

    assert len(all_of_them) == 4
    left = [one["path"] for one in without(all_of_them, ["Env.A", "HostConfig.Memory"])]
    assert left == ["Env.AB", "HostConfig.Dns"]
    assert without(all_of_them, ["Env", "HostConfig"]) == []


def test_anonymous_volumes_are_those_that_nothing_names() -> None:
    assert anonymous(TOLD) == {"/cache": "c" * 64, "/anonymous": "a" * 64}
