"""SettleOutcome after real operations whose answer, or whose request, was lost on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import forget_engines, run_step
from tests.integration.operations.plugin import plugin_archive
from tests.jobs.engines import config, own
from tests.jobs.finding import done, failed
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.socket_proxy import SocketProxy

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "SettleOutcome"
RUN = "docker-engine-connector.run"
Body = dict[str, Any]


@pytest.fixture
def way(own: LabEngine) -> Iterator[FaultyProxy]:
    with FaultyProxy(own.socket) as proxy:
        yield proxy
        forget_engines()


@pytest.fixture(scope="module")
def manager(own: LabEngine) -> Iterator[LabEngine]:
    own.wire.do("POST", "/swarm/init", {"AdvertiseAddr": "127.0.0.1", "ListenAddr": "127.0.0.1:2377"})
    yield own
    own.wire.ask("POST", "/swarm/leave", force=True)


def new() -> str:
    return f"x{random_id()[:12]}"


def settle(own: LabEngine, operation: str, fields: Any, **more: Any) -> Body:
    settings = more.pop("settings", {})
    wish = {"operation": operation, "fields": fields, **more}
    return done(run_step(KEY, wish, config(own, errorPolicy="throwError", **settings)))


@dataclass
class Scene:
    """An operation in doubt: `make` brings the engine to where it begins and returns its input."""

    key: str
    make: Callable[[LabEngine], Body]
    asked: str
    """What the line of its request holds."""
    settings: Body = field(default_factory=dict)

    def lost(self, own: LabEngine, way: FaultyProxy, fields: Body, *, arrives: bool) -> tuple[Body, str]:
        """The error of the step, and when it was tried; `arrives`: only the answer is lost."""
        since = f"{time.time():.6f}"
        direction = way.answers if arrives else way.requests
        direction.cut_after(0, asked=self.asked.encode(), once=True)
        address = {"server": "2", "otherServer": f"http://{way.host}:{way.port}", "errorPolicy": "emit"}
        (error,) = run_step(self.key, fields, {**address, **self.settings}).bodies
        assert direction.limit is None, "nothing was cut"
        assert error["error"]["name"] == "OutcomeUnknown", error
        return error, since


def container(own: LabEngine, *, runs: bool = True, **more: Any) -> str:
    name = new()
    own.create(("sleep", "600"), name=name, **more)
    if runs:
        own.wire.do("POST", f"/containers/{name}/start")
    return name


def paused(own: LabEngine) -> str:
    name = container(own)
    own.wire.do("POST", f"/containers/{name}/pause")
    return name


def network(own: LabEngine) -> str:
    name = new()
    own.wire.do("POST", "/networks/create", {"Name": name})
    return name


def connected(own: LabEngine) -> Body:
    net, target = network(own), container(own)
    own.wire.do("POST", f"/networks/{net}/connect", {"Container": target})
    return {"id": net, "requestBody": {"Container": target}}


def volume(own: LabEngine) -> str:
    name = new()
    own.wire.do("POST", "/volumes/create", {"Name": name})
    return name


def tag(own: LabEngine) -> str:
    name = new()
    own.wire.do("POST", f"/images/{IMAGE}/tag", repo=name, tag="1")
    return f"{name}:1"


def prepared(own: LabEngine) -> str:
    wish = {"Cmd": ["sleep", "5"], "AttachStdout": True}
    return str(own.wire.do("POST", f"/containers/{container(own)}/exec", wish).json()["Id"])


def plugin(own: LabEngine, *, on: bool = False) -> str:
    name = f"{new()}:latest"
    own.wire.do("POST", "/plugins/create", plugin_archive(), name=name)
    if on:
        own.wire.do("POST", f"/plugins/{name}/enable", timeout=30)
    return name


def wanted(**more: Any) -> Body:
    body = {"Image": IMAGE, "Cmd": ["sleep", "600"], "Env": ["A=b"], "Labels": {"team": "web"}, **more}
    return {"name": new(), "requestBody": body}


SCENES = [
    Scene("ContainerCreate", lambda _: wanted(HostConfig={"Memory": 64 << 20}), "/containers/create"),
    Scene(
        "VolumeCreate", lambda _: {"requestBody": {"Name": new(), "Labels": {"a": "b"}}}, "/volumes/create"
    ),
    Scene("NetworkCreate", lambda _: {"requestBody": {"Name": new(), "Internal": True}}, "/networks/create"),
    Scene("ContainerStart", lambda own: {"id": container(own, runs=False)}, "/start"),
    Scene("ContainerStop", lambda own: {"id": container(own), "t": 0}, "/stop"),
    Scene("ContainerKill", lambda own: {"id": container(own)}, "/kill"),
    Scene("ContainerKill", lambda own: {"id": container(own), "signal": "SIGHUP"}, "/kill"),
    Scene("ContainerKill", lambda own: {"id": container(own), "signal": "term"}, "/kill"),
    Scene("ContainerKill", lambda own: {"id": container(own), "signal": "RTMIN+3"}, "/kill"),
    Scene(
        "PutContainerArchive",
        lambda own: {"id": container(own), "path": "/tmp", "file": {"name": "a", "content": "b"}},
        "/archive",
    ),
    Scene("ContainerRestart", lambda own: {"id": container(own), "t": 0}, "/restart"),
    Scene("ContainerPause", lambda own: {"id": container(own)}, "/pause"),
    Scene("ContainerUnpause", lambda own: {"id": paused(own)}, "/unpause"),
    Scene("ContainerRename", lambda own: {"id": container(own), "name": new()}, "/rename"),
    Scene(
        "ContainerUpdate",
        lambda own: {"id": container(own), "requestBody": {"Memory": 128 << 20, "MemorySwap": 256 << 20}},
        "/update",
    ),
    Scene("ContainerDelete", lambda own: {"id": container(own), "force": True}, "DELETE "),
    Scene("VolumeDelete", lambda own: {"name": volume(own)}, "DELETE "),
    Scene("NetworkDelete", lambda own: {"id": network(own)}, "DELETE "),
    Scene("ImageDelete", lambda own: {"name": tag(own)}, "DELETE "),
    Scene("ImageTag", lambda _: {"name": IMAGE, "repo": new(), "tag": "2"}, "/tag"),
    Scene("ImageCommit", lambda own: {"container": container(own), "repo": new(), "tag": "1"}, "/commit"),
    Scene("ImageCommit", lambda own: {"container": container(own)}, "/commit"),
    Scene(
        "NetworkConnect",
        lambda own: {"id": network(own), "requestBody": {"Container": container(own)}},
        "/connect",
    ),
    Scene("NetworkDisconnect", connected, "/disconnect"),
    Scene(
        "ContainerExec", lambda own: {"id": container(own), "requestBody": {"Cmd": ["echo", "a b"]}}, "/exec "
    ),
    Scene("ExecStart", lambda own: {"id": prepared(own), "requestBody": {"Detach": True}}, "/start"),
    Scene("ContainerPrune", lambda _: {"filters": {"label": ["none=such"]}}, "/prune"),
    Scene("VolumePrune", lambda _: {"filters": {"label": ["none=such"]}}, "/prune"),
    Scene("NetworkPrune", lambda _: {"filters": {"label": ["none=such"]}}, "/prune"),
    Scene("ImagePrune", lambda _: {"filters": {"label": ["none=such"]}}, "/prune"),
    Scene("BuildPrune", lambda _: {"filters": {"id": ["none"]}}, "/prune"),
    Scene("PluginSet", lambda own: {"name": plugin(own), "requestBody": ["DEBUG=1"]}, "/set"),
    Scene("PluginEnable", lambda own: {"name": plugin(own)}, "/enable"),
    Scene("PluginDisable", lambda own: {"name": plugin(own, on=True), "force": True}, "/disable"),
    Scene("PluginDelete", lambda own: {"name": plugin(own), "force": True}, "DELETE "),
]
IDS = [f"{number}-{scene.key}" for number, scene in enumerate(SCENES)]


@pytest.fixture
def tidy(own: LabEngine) -> Iterator[None]:
    yield
    tidied(own)


def tidied(own: LabEngine) -> None:
    """Remove what scenes leave."""
    for one in own.wire.do("GET", "/containers/json", all=True).json():
        own.remove(one["Id"])
    own.wire.do("POST", "/networks/prune")
    for one in own.wire.do("GET", "/plugins").json():
        own.wire.do("DELETE", f"/plugins/{one['Name']}", force=True)


@pytest.mark.usefixtures("tidy")
@pytest.mark.parametrize("arrives", [True, False], ids=["the answer", "the request"])
@pytest.mark.parametrize("scene", SCENES, ids=IDS)
def test_it_succeeds_to_tell_what_was_lost(
    own: LabEngine, way: FaultyProxy, scene: Scene, arrives: bool
) -> None:
    fields = scene.make(own)
    error, since = scene.lost(own, way, fields, arrives=arrives)
    told = settle(own, scene.key, fields, error=error, since=since)
    assert told["outcome"] == ("happened" if arrives else "didNotHappen"), told
    assert told["next"] == ("goOn" if arrives else "repeat")
    assert told["proof"]


SWARM = [
    Scene(
        "ServiceCreate",
        lambda _: {
            "requestBody": {
                "Name": new(),
                "TaskTemplate": {"ContainerSpec": {"Image": IMAGE, "Command": ["sleep", "600"]}},
                "Mode": {"Replicated": {"Replicas": 0}},
            }
        },
        "/services/create",
    ),
    Scene("ConfigCreate", lambda _: {"requestBody": {"Name": new(), "Data": "eA=="}}, "/configs/create"),
    Scene(
        "SecretCreate",
        lambda _: {"requestBody": {"Name": new(), "Data": "eA=="}},
        "/secrets/create",
        {"markRun": True},
    ),
    Scene("ServiceDelete", lambda own: {"id": service(own)}, "DELETE "),
    Scene(
        "ServiceUpdate", lambda own: {"id": service(own), "requestBody": {"Labels": {"a": "b"}}}, "/update"
    ),
    Scene("SwarmUpdate", lambda _: {"requestBody": {"Labels": {"a": new()}}}, "/swarm/update"),
    Scene("NodeUpdate", lambda own: {"id": node(own), "requestBody": {"Labels": {"a": new()}}}, "/update"),
    Scene("SecretUpdate", lambda own: {"id": vault(own, "secrets"), "requestBody": LABELLED}, "/update"),
    Scene("ConfigUpdate", lambda own: {"id": vault(own, "configs"), "requestBody": LABELLED}, "/update"),
    Scene("SecretDelete", lambda own: {"id": vault(own, "secrets")}, "DELETE "),
    Scene("ConfigDelete", lambda own: {"id": vault(own, "configs")}, "DELETE "),
]
LABELLED = {"Labels": {"a": "b"}}


def node(own: LabEngine) -> str:
    return str(own.wire.do("GET", "/nodes").json()[0]["ID"])


def vault(own: LabEngine, kind: str) -> str:
    name = new()
    own.wire.do("POST", f"/{kind}/create", {"Name": name, "Data": "eA=="})
    return name


def service(own: LabEngine) -> str:
    name = new()
    spec = {
        "Name": name,
        "TaskTemplate": {"ContainerSpec": {"Image": IMAGE}},
        "Mode": {"Replicated": {"Replicas": 0}},
    }
    own.wire.do("POST", "/services/create", spec)
    return name


@pytest.mark.parametrize("arrives", [True, False], ids=["the answer", "the request"])
@pytest.mark.parametrize("scene", SWARM, ids=[scene.key for scene in SWARM])
def test_it_succeeds_to_tell_what_was_lost_of_a_swarm(
    manager: LabEngine, way: FaultyProxy, scene: Scene, arrives: bool
) -> None:
    fields = scene.make(manager)
    error, since = scene.lost(manager, way, fields, arrives=arrives)
    told = settle(manager, scene.key, fields, error=error, since=since)
    assert told["outcome"] == ("happened" if arrives else "didNotHappen"), told


MARKED = [
    Scene("ContainerCreate", lambda _: wanted(), "/containers/create", {"markRun": True}),
    Scene(
        "ContainerCreate",
        lambda _: {"requestBody": {"Image": IMAGE}},
        "/containers/create",
        {"markRun": True},
    ),
    Scene(
        "VolumeCreate", lambda _: {"requestBody": {"Driver": "local"}}, "/volumes/create", {"markRun": True}
    ),
    Scene("NetworkCreate", lambda _: {"requestBody": {"Name": new()}}, "/networks/create", {"markRun": True}),
    Scene(
        "ImageCommit",
        lambda own: {"container": container(own), "repo": new(), "tag": "1"},
        "/commit",
        {"markRun": True},
    ),
]


@pytest.mark.usefixtures("tidy")
@pytest.mark.parametrize("arrives", [True, False], ids=["the answer", "the request"])
@pytest.mark.parametrize("scene", MARKED, ids=[f"{n}-{scene.key}" for n, scene in enumerate(MARKED)])
def test_the_mark_of_the_run_succeeds_as_proof(
    own: LabEngine, way: FaultyProxy, scene: Scene, arrives: bool
) -> None:
    """Also without a name, and without a time."""
    fields = scene.make(own)
    error, _ = scene.lost(own, way, fields, arrives=arrives)
    assert error["error"]["run"]
    told = settle(own, scene.key, fields, error=error)
    assert told["outcome"] == ("happened" if arrives else "didNotHappen"), told
    if arrives:
        assert "has the mark of the run" in told["proof"]


def test_without_the_setting_nothing_is_marked(own: LabEngine) -> None:
    fields = wanted()
    done(run_step("ContainerCreate", fields, config(own)))
    labels = own.wire.do("GET", f"/containers/{fields['name']}/json").json()["Config"]["Labels"]
    own.remove(fields["name"])
    assert labels == {"team": "web"}
    (error,) = run_step(
        "ContainerCreate", {"requestBody": {"Image": "no:such"}}, config(own, errorPolicy="emit")
    ).bodies
    assert "run" not in error["error"]


@pytest.mark.parametrize("labels", [{"team": "web"}, None])
def test_the_mark_goes_beside_other_labels(own: LabEngine, labels: Any) -> None:
    fields = {"name": new(), "requestBody": {"Image": IMAGE, "Labels": labels}}
    done(run_step("ContainerCreate", fields, config(own, markRun=True)))
    told = own.wire.do("GET", f"/containers/{fields['name']}/json").json()["Config"]["Labels"]
    own.remove(str(fields["name"]))
    assert told.pop(RUN)
    assert told == (labels or {})


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("ContainerStart", {}),
        ("ContainerStart", {"id": {}}),
        ("VolumeCreate", {"requestBody": 5}),
        ("RunContainer", {}),
    ],
)
def test_what_cannot_be_looked_for_fails(own: LabEngine, operation: str, fields: Body) -> None:
    wish = {"operation": operation, "fields": fields}
    assert failed(run_step(KEY, wish, config(own, errorPolicy="throwError")))[0] == "BadInput"


def test_all_deliveries_of_a_message_have_one_mark(own: LabEngine) -> None:
    runs = set()
    for _ in range(2):
        fields = {"requestBody": {"Image": IMAGE}}
        body = done(
            run_step("ContainerCreate", fields, config(own, markRun=True), headers={"messageId": "m"})
        )
        told = own.wire.do("GET", f"/containers/{body['Id']}/json").json()
        runs.add(told["Config"]["Labels"][RUN])
        own.remove(body["Id"])
    assert len(runs) == 1


# --- what is there and proves nothing ---


def later() -> str:
    """A time after all that the test has done, and before all that it will find."""
    return f"{time.time() + 5:.6f}"


def test_what_is_older_than_the_call_did_not_come_of_it(own: LabEngine) -> None:
    fields = wanted()
    done(run_step("ContainerCreate", fields, config(own)))
    told = settle(own, "ContainerCreate", fields, since=later())
    own.remove(fields["name"])
    assert (told["outcome"], told["next"]) == ("didNotHappen", "ask")
    assert "is older than the call" in told["proof"]
    assert told["object"]["name"] == fields["name"]


def test_what_is_not_as_wanted_is_unknown(own: LabEngine) -> None:
    fields = wanted()
    name = own.create(("sleep", "600"), name=fields["name"])
    told = settle(own, "ContainerCreate", fields)
    own.remove(name)
    assert (told["outcome"], told["next"]) == ("unknown", "ask")


def test_what_was_made_and_is_gone_again_is_unknown(own: LabEngine) -> None:
    fields, since = wanted(), f"{time.time():.6f}"
    done(run_step("ContainerCreate", fields, config(own)))
    own.remove(fields["name"])
    told = settle(own, "ContainerCreate", fields, since=since)
    assert told["outcome"] == "unknown"
    assert "is gone again" in told["proof"]


def test_a_mark_of_another_run_is_unknown(own: LabEngine) -> None:
    fields = wanted()
    done(run_step("ContainerCreate", fields, config(own, markRun=True)))
    told = settle(own, "ContainerCreate", fields, error={"name": "OutcomeUnknown", "run": "another"})
    own.remove(fields["name"])
    assert told["outcome"] == "unknown"


def test_a_secret_without_a_mark_is_unknown(manager: LabEngine) -> None:
    fields = {"requestBody": {"Name": new(), "Data": "aHVudGVyLTIy"}}
    done(run_step("SecretCreate", fields, config(manager)))
    told = settle(manager, "SecretCreate", fields)
    assert told["outcome"] == "unknown"
    assert "by whom is not known" in told["proof"]


def test_states_that_were_there_before_let_the_flow_go_on(own: LabEngine) -> None:
    name = container(own)
    told = settle(own, "ContainerStart", {"id": name}, since=later())
    assert (told["outcome"], told["next"]) == ("didNotHappen", "goOn")
    own.wire.do("POST", f"/containers/{name}/kill")
    own.wait(name)
    told = settle(own, "ContainerStop", {"id": name}, since=later())
    assert (told["outcome"], told["next"]) == ("didNotHappen", "goOn")
    own.remove(name)


def test_what_an_engine_has_forgotten_is_unknown(own: LabEngine) -> None:
    name = container(own)
    for operation, fields in (
        ("ContainerKill", {"id": name, "signal": "HUP"}),
        ("PutContainerArchive", {"id": name, "path": "/"}),
        ("ImageLoad", {}),
        ("VolumePrune", {}),
    ):
        told = settle(own, operation, fields, since="2001-01-01T00:00:00Z")
        assert told["outcome"] in ("unknown", "happened"), told
        assert settle(own, operation, fields, since=later())["outcome"] == "didNotHappen"
    own.remove(name)


@pytest.mark.parametrize(
    ("operation", "fields", "outcome", "then"),
    [
        ("ContainerInspect", {"id": "x"}, "unknown", "repeat"),
        ("ContainerWait", {"id": "x"}, "unknown", "repeat"),
        ("PluginSet", {"name": "x"}, "unknown", "ask"),
        ("PluginPull", {"remote": "x"}, "didNotHappen", "repeat"),
        ("SwarmUnlock", {}, "didNotHappen", "ask"),
        ("ContainerKill", {"id": "x", "signal": "NONE"}, "didNotHappen", "ask"),
        ("ContainerStart", {"id": "nowhere"}, "unknown", "ask"),
        ("ExecStart", {"id": "nowhere"}, "unknown", "ask"),
        ("ContainerCreate", {}, "unknown", "ask"),
        ("ContainerDelete", {"id": "nowhere"}, "didNotHappen", "ask"),
        ("SwarmLeave", {}, "happened", "goOn"),
        ("ImageBuild", {"t": "no:such"}, "didNotHappen", "repeat"),
        ("ImageBuild", {"t": IMAGE}, "unknown", "ask"),
        ("ImageBuild", {}, "unknown", "ask"),
        ("ImageCreate", {"fromImage": "no", "tag": "such"}, "didNotHappen", "repeat"),
        ("ImagePush", {"name": "no:such"}, "unknown", "ask"),
    ],
)
def test_outcomes_without_a_call(
    own: LabEngine, operation: str, fields: Body, outcome: str, then: str
) -> None:
    own.wire.ask("POST", "/swarm/leave", force=True)
    told = settle(own, operation, fields, since=later())
    assert (told["outcome"], told["next"]) == (outcome, then), told


@pytest.mark.parametrize(
    ("name", "outcome", "then"),
    [
        ("BadInput", "didNotHappen", "ask"),
        ("ReadOnly", "didNotHappen", "ask"),
        ("Conflict", "didNotHappen", "ask"),
        ("NotFound", "didNotHappen", "goOn"),
        ("Unreachable", "didNotHappen", "repeat"),
        ("Busy", "didNotHappen", "repeat"),
        ("OutcomeUnknown", "happened", "goOn"),
        ("EngineFault", "happened", "goOn"),
        ("Anything", "happened", "goOn"),
    ],
)
def test_the_error_itself_may_tell(own: LabEngine, name: str, outcome: str, then: str) -> None:
    target = container(own)
    own.remove(target)
    for error in ({"name": name}, {"error": {"name": name, "message": "m"}}):
        told = settle(own, "ContainerDelete", {"id": target}, error=error)
        assert (told["outcome"], told["next"]) == (outcome, then), told


def test_read_only_is_enough_and_nothing_is_sent_but_reads(own: LabEngine) -> None:
    with SocketProxy(own.socket, "(GET|HEAD) .*") as proxy:
        for scene in (SCENES[0], SCENES[3], SCENES[21]):
            fields = scene.make(own)
            settle(
                own,
                scene.key,
                fields,
                since=later(),
                settings={"accessMode": "readOnly", "otherServer": proxy.url},
            )
        assert not proxy.refused
