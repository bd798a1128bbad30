"""EnsureContainer with any body: what was made of it has no difference, given or strict, also once it ran."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.engines import config, own
from tests.lab.engine import IMAGE, LabEngine

__all__ = ["own"]
pytestmark = [pytest.mark.engine, pytest.mark.shows("EnsureContainer")]
KEY = "EnsureContainer"
WORDS = st.sampled_from(["a", "b", "sleep", "600", "x y", "ü", "a=b"])
NAMES = st.sampled_from(["A", "B", "PATH", "a.b", "x-y"])
FOLDERS = st.sampled_from(["/a", "/a/", "/b/c", "/d/../e", "//f"])
PORTS = st.sampled_from(["80", "80/tcp", "81/udp", "443/TCP", "90/sctp"])
BOOLEANS = st.sampled_from([True, False, None])
MODES = st.sampled_from(["", ":ro", ":rw", ":ro,z", ":z"])
SECONDS = st.sampled_from([0, 10**6, 10**9, 3 * 10**10])
CAPS = st.lists(st.sampled_from(["net_admin", "CAP_CHOWN", "ALL", "all", "sys_time"]), max_size=3)
ADDRESSES = st.sampled_from(["", "0.0.0.0", "127.0.0.1", "::1"])


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


@st.composite
def few(draw: Any, **fields: st.SearchStrategy[Any]) -> Any:
    """An object with up to five of many fields: with more, most bodies are refused for parts that do not fit."""
    names = draw(st.lists(st.sampled_from(sorted(fields)), max_size=5, unique=True))
    return {name: draw(fields[name]) for name in names}


def texts(values: st.SearchStrategy[Any] = WORDS) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(NAMES, values, max_size=3)


BINDS = st.builds(
    lambda source, folder, mode: f"{source}:{folder}{mode}", WORDS.filter(str.isalpha), FOLDERS, MODES
)
MOUNTS = st.one_of(
    st.builds(lambda folder: {"Type": "volume", "Target": folder}, FOLDERS),
    st.builds(
        lambda folder, options: {"Type": "volume", "Source": "named", "Target": folder, **options},
        FOLDERS,
        some(
            ReadOnly=BOOLEANS,
            VolumeOptions=some(NoCopy=BOOLEANS, Labels=texts()),
            Consistency=st.just("cached"),
        ),
    ),
    st.builds(
        lambda folder, options: {"Type": "bind", "Source": "/tmp/", "Target": folder, **options},
        FOLDERS,
        some(
            ReadOnly=BOOLEANS,
            BindOptions=some(Propagation=st.sampled_from(["rprivate", "private", "rslave"])),
        ),
    ),
    st.builds(
        lambda folder, options: {"Type": "tmpfs", "Target": folder, **options},
        FOLDERS,
        some(TmpfsOptions=some(SizeBytes=st.just(1 << 20), Mode=st.just(0o700))),
    ),
)
HOST = few(
    Binds=st.lists(st.one_of(BINDS, FOLDERS), max_size=2),
    Mounts=st.lists(MOUNTS, max_size=2),
    PortBindings=st.dictionaries(
        PORTS,
        st.one_of(
            st.none(),
            st.lists(some(HostIp=ADDRESSES, HostPort=st.sampled_from(["", "0", "18090"])), max_size=2),
        ),
        max_size=2,
    ),
    RestartPolicy=some(
        Name=st.sampled_from(["", "no", "always", "on-failure", "unless-stopped"]),
        MaximumRetryCount=st.sampled_from([0, 3]),
    ),
    LogConfig=st.sampled_from(
        [{}, {"Type": ""}, {"Type": "none"}, {"Type": "json-file", "Config": {"max-size": "1m"}}]
    ),
    NetworkMode=st.sampled_from(["", "default", "bridge", "host", "none"]),
    CapAdd=CAPS,
    CapDrop=CAPS,
    Dns=st.lists(st.sampled_from(["1.1.1.1", "8.8.8.8"]), max_size=2),
    DnsOptions=st.lists(st.just("ndots:1"), max_size=1),
    DnsSearch=st.lists(st.sampled_from(["example.org", "."]), max_size=2),
    ExtraHosts=st.lists(st.sampled_from(["a:10.0.0.1", "b:10.0.0.2"]), max_size=2),
    GroupAdd=st.lists(st.sampled_from(["10", "wheel"]), max_size=2),
    IpcMode=st.sampled_from(["", "none", "private", "shareable", "host"]),
    PidMode=st.sampled_from(["", "host"]),
    UTSMode=st.sampled_from(["", "host"]),
    CgroupnsMode=st.sampled_from(["", "private", "host"]),
    OomScoreAdj=st.sampled_from([0, 10]),
    OomKillDisable=BOOLEANS,
    PublishAllPorts=BOOLEANS,
    ReadonlyRootfs=BOOLEANS,
    Privileged=BOOLEANS,
    Init=BOOLEANS,
    SecurityOpt=st.lists(
        st.sampled_from(["no-new-privileges", "label=disable", "seccomp=unconfined"]), max_size=2
    ),
    Tmpfs=st.dictionaries(FOLDERS, st.sampled_from(["", "size=1m,rw"]), max_size=2),
    ShmSize=st.sampled_from([0, 1 << 20, 64 << 20]),
    Sysctls=st.dictionaries(st.just("net.ipv4.ip_forward"), st.sampled_from(["0", "1"])),
    Runtime=st.sampled_from(["", "runc"]),
    MaskedPaths=st.one_of(st.none(), st.just([]), st.just(["/proc/kcore"])),
    ReadonlyPaths=st.one_of(st.none(), st.just(["/proc/bus"])),
    CpuShares=st.sampled_from([0, 512]),
    NanoCpus=st.sampled_from([0, 5 * 10**8]),
    CpuPeriod=st.sampled_from([0, 100_000]),
    CpuQuota=st.sampled_from([0, -1, 50_000]),
    CpusetCpus=st.sampled_from(["", "0"]),
    CpusetMems=st.sampled_from(["", "0"]),
    Memory=st.sampled_from([0, 64 << 20]),
    MemorySwap=st.sampled_from([0, -1, 128 << 20]),
    MemoryReservation=st.sampled_from([0, 32 << 20]),
    MemorySwappiness=st.one_of(st.none(), st.sampled_from([-1, 0, 50])),
    KernelMemory=st.sampled_from([0, 32 << 20]),
    PidsLimit=st.one_of(st.none(), st.sampled_from([-1, 0, 50])),
    Ulimits=st.lists(
        some(Soft=st.just(100), Hard=st.just(200)).map(lambda limit: {"Name": "nofile", **limit}), max_size=1
    ),
    Devices=st.lists(
        some(PathInContainer=st.just("/dev/null"), CgroupPermissions=st.sampled_from(["r", "rwm"])).map(
            lambda device: {"PathOnHost": "/dev/null", **device}
        ),
        max_size=1,
    ),
    DeviceCgroupRules=st.lists(st.just("c 1:3 mr"), max_size=1),
    CgroupParent=st.just(""),
    VolumeDriver=st.sampled_from(["", "local"]),
    Isolation=st.sampled_from(["", "default"]),
    UsernsMode=st.sampled_from(["", "host"]),
    ConsoleSize=st.sampled_from([[0, 0], [24, 80]]),
)
CONFIG = few(
    Env=st.lists(st.sampled_from(["A=1", "A=2", "B=", "BARE", "PATH=/bin", "X=a=b"]), max_size=3),
    Labels=st.one_of(st.none(), texts()),
    Cmd=st.one_of(st.none(), st.lists(WORDS, max_size=3)),
    Entrypoint=st.one_of(st.none(), st.just([]), st.just([""]), st.lists(WORDS, min_size=1, max_size=2)),
    User=st.sampled_from(["", "1000", "root:root"]),
    WorkingDir=st.one_of(st.just(""), FOLDERS, st.just("/")),
    Hostname=st.sampled_from(["", "web", "web.example.org"]),
    Domainname=st.sampled_from(["", "example.org"]),
    ExposedPorts=st.one_of(st.none(), st.dictionaries(PORTS, st.just({}), max_size=2)),
    Volumes=st.one_of(st.none(), st.dictionaries(FOLDERS, st.just({}), max_size=2)),
    StopSignal=st.sampled_from(["", "15", "TERM", "SIGINT", "sigkill"]),
    StopTimeout=st.sampled_from([0, 1, 10]),
    Tty=BOOLEANS,
    OpenStdin=BOOLEANS,
    StdinOnce=BOOLEANS,
    AttachStdin=BOOLEANS,
    AttachStdout=BOOLEANS,
    NetworkDisabled=BOOLEANS,
    Shell=st.one_of(st.none(), st.just(["/bin/sh", "-c"])),
    Healthcheck=some(
        Test=st.sampled_from([[], ["NONE"], ["CMD", "true"], ["CMD-SHELL", "true"]]),
        Interval=SECONDS,
        Timeout=SECONDS,
        StartPeriod=SECONDS,
        Retries=st.sampled_from([0, 3]),
    ),
)
BODIES = st.builds(lambda config, host: {**config, "HostConfig": host}, CONFIG, HOST)
REFUSED = ("BadInput", "Conflict", "EngineFault", "NotFound", "Refused")
"""What an engine says of bodies whose parts do not fit together."""


@pytest.fixture(scope="module")
def painted(own: LabEngine) -> str:
    """An image with something of all that containers inherit."""
    source = own.create(
        ["sleep", "600"],
        Env=["INHERITED=1", "A=image"],
        Labels={"inherited": "1"},
        User="1000",
        WorkingDir="/srv",
        StopSignal="SIGQUIT",
        ExposedPorts={"7000/tcp": {}},
        Volumes={"/inherited": {}},
        Healthcheck={"Test": ["CMD", "true"], "Interval": 10**10, "Retries": 2},
    )
    own.wire.do("POST", "/commit", container=source, repo="painted", tag="1")
    own.remove(source)
    return "painted:1"


@settings(max_examples=60, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES, inherits=st.booleans())
def test_repeat_of_any_body_has_no_difference(
    own: LabEngine, painted: str, body: Any, inherits: bool
) -> None:
    name, step = f"any-{random_id()}", config(own, errorPolicy="throwError")
    image = painted if inherits else IMAGE
    wish = {"name": name, "image": image, "state": "present", "settings": body}
    try:
        first = run_step(KEY, wish, step)
        if first.errors:
            assert {error["name"] for error in first.errors} <= set(REFUSED), first.errors
            assert not there(own, name)
        assume(not first.errors)
        (made,) = first.bodies
        assert made["action"] == "created"
        quiet(made, body)
        for compare in ("given", "strict"):
            quiet(once(wish | {"compare": compare}, step), body)
        own.wire.ask("POST", f"/containers/{name}/start")  # some cannot, which is no matter here
        for compare in ("given", "strict"):
            quiet(once(wish | {"compare": compare}, step), body)
    finally:
        own.wire.ask("DELETE", f"/containers/{name}", force=True, v=True)


def there(engine: LabEngine, name: str) -> bool:
    return bool(engine.wire.ask("GET", f"/containers/{name}/json").status == 200)


def once(wish: dict[str, Any], step: dict[str, Any]) -> Any:
    outcome = run_step(KEY, wish | {"recreate": "never"}, step)
    assert not outcome.errors, (wish, outcome.errors[0]["message"])
    (told,) = outcome.bodies
    assert told["action"] == "none", (wish, told["differences"])
    return told


def quiet(told: Any, body: Any) -> None:
    """Fail where an engine keeps something otherwise than it was given, so that it would differ for ever."""
    kept = [warning for warning in told["warnings"] if "keeps it otherwise" in warning]
    assert (told["differences"], kept) == ([], []), body
