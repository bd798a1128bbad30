"""DeleteObject: one object goes, a repeat does no harm, and a dry run says what a real one does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.actions.stepping import run_step
from tests.engine.scripted import Scripted, answer, say
from tests.jobs.engines import own
from tests.jobs.finding import SWARM, done, failed, step
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.faulty_proxy import FaultyProxy

__all__ = ["own"]


@pytest.fixture(scope="module")
def engine(own: LabEngine) -> LabEngine:
    own.wire.do("POST", "/swarm/init", SWARM)
    return own


def delete(engine: LabEngine, kind: str, value: Any, by: str = "", **more: Any) -> Any:
    fields = {name: more.pop(name) for name in ("force", "withVolumes") if name in more}
    return done(step(engine, "DeleteObject", {"value": value, **fields}, kind, lookupBy=by, **more))


def refused(engine: LabEngine, kind: str, value: Any, by: str = "", **more: Any) -> tuple[str, str]:
    return failed(step(engine, "DeleteObject", {"value": value}, kind, lookupBy=by, **more))


def gone(engine: LabEngine, path: str) -> bool:
    return engine.wire.ask("GET", path).status == 404


def make(engine: LabEngine, kind: str) -> str:
    """Make an object of a type, named doomed, and return the path that shows it."""
    wire, spec = engine.wire, {"Name": "doomed", "Labels": {"app": "doomed"}}
    if kind == "container":
        engine.create(name="doomed", Labels={"app": "doomed"})
    elif kind == "image":
        wire.do("POST", f"/images/{IMAGE}/tag", repo="doomed", tag="latest")
    elif kind == "service":
        template = {"ContainerSpec": {"Image": IMAGE}}
        body = {**spec, "TaskTemplate": template, "Mode": {"Replicated": {"Replicas": 0}}}
        wire.do("POST", "/services/create", body)
    elif kind in ("secret", "config"):
        wire.do("POST", f"/{kind}s/create", {**spec, "Data": "eA=="})
    else:
        wire.do("POST", f"/{kind}s/create", spec)
    return f"/{kind}s/doomed" + ("/json" if kind in ("container", "image") else "")


KINDS = ("container", "image", "network", "volume", "service", "secret", "config")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.shows("DeleteObject", "succeeds", "dry_run", "repeat")
def test_a_dry_run_tells_the_plan_of_the_real_run_and_a_repeat_changes_nothing(
    engine: LabEngine, kind: str
) -> None:
    path = make(engine, kind)
    dry = delete(engine, kind, "doomed", dryRun=True, accessMode="readOnly")
    assert not gone(engine, path)
    assert (dry["changed"], dry["dryRun"]) == (False, True)
    real = delete(engine, kind, "doomed")
    assert gone(engine, path)
    assert (real["changed"], real["dryRun"]) == (True, False)
    assert real["plan"] == dry["plan"] != []
    assert (real["id"], real["name"]) == (dry["id"], dry["name"])
    again = delete(engine, kind, "doomed")
    assert again == {
        "changed": False,
        "dryRun": False,
        "plan": [],
        "warnings": [],
        "duration": again["duration"],
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_read_only_credential_deletes_nothing(engine: LabEngine, kind: str) -> None:
    path = make(engine, kind)
    assert refused(engine, kind, "doomed", accessMode="readOnly")[0] == "ReadOnly"
    assert not gone(engine, path)
    delete(engine, kind, "doomed")


def test_the_tag_goes_and_the_image_stays(engine: LabEngine) -> None:
    make(engine, "image")
    delete(engine, "image", "doomed")
    assert gone(engine, "/images/doomed/json")
    assert not gone(engine, f"/images/{IMAGE}/json")


@pytest.mark.shows("DeleteObject", "fails")
def test_several_matches_are_an_error_and_nothing_goes(engine: LabEngine) -> None:
    for name in ("one", "two"):
        engine.create(name=name, Labels={"app": "pair"})
    name, text = refused(engine, "container", "app=pair", "label")
    assert name == "Ambiguous"
    assert "2 containers match label = app=pair: one (" in text
    assert not gone(engine, "/containers/one/json")
    assert not gone(engine, "/containers/two/json")
    for name in ("one", "two"):
        assert delete(engine, "container", name)["changed"]


def test_of_two_networks_of_one_name_none_goes_but_by_its_id(engine: LabEngine) -> None:
    body = {"Name": "twin", "CheckDuplicate": False}
    made = [engine.wire.ask("POST", "/v1.41/networks/create", body) for _ in range(2)]
    ids = [one.json()["Id"] for one in made if one.status == 201]
    if len(ids) == 2:
        name, text = refused(engine, "network", "twin")
        assert name == "Ambiguous"
        assert all(one[:12] in text for one in ids)
        assert not gone(engine, f"/networks/{ids[0]}")
        assert delete(engine, "network", ids[0], "id")["id"] == ids[0]
    assert delete(engine, "network", "twin")["id"] == ids[-1]


def test_trap_11_a_name_that_begins_alike_is_another_one(engine: LabEngine) -> None:
    for kind in KINDS:
        path = make(engine, kind)
        assert not delete(engine, kind, "doome")["changed"]
        assert not gone(engine, path)
        assert delete(engine, kind, "doomed")["changed"]


def test_a_running_container_goes_by_force_alone(engine: LabEngine) -> None:
    container = engine.run(name="busy")
    dry = delete(engine, "container", "busy", dryRun=True)
    assert dry["warnings"] == ["busy is running: without force the engine will refuse to delete it"]
    assert refused(engine, "container", "busy")[0] == "Conflict"
    assert not gone(engine, f"/containers/{container}/json")
    assert delete(engine, "container", "busy", force=True)["id"] == container
    assert gone(engine, f"/containers/{container}/json")


@pytest.mark.parametrize("with_volumes", [False, True])
def test_anonymous_volumes_go_where_that_is_said(engine: LabEngine, with_volumes: bool) -> None:
    def volumes() -> set[str]:
        return {one["Name"] for one in engine.wire.do("GET", "/volumes").json()["Volumes"] or ()}

    before = volumes()
    binds = {"HostConfig": {"Binds": ["kept:/kept"]}}
    engine.create(name="keeper", Volumes={"/data": {}}, **binds)
    (anonymous,) = volumes() - before - {"kept"}
    dry = delete(engine, "container", "keeper", withVolumes=with_volumes, dryRun=True)
    real = delete(engine, "container", "keeper", withVolumes=with_volumes)
    planned = {one["name"] for one in real["plan"] if one["kind"] == "volume"}
    assert real["plan"] == dry["plan"]
    assert planned == ({anonymous} if with_volumes else set())
    assert "kept" in volumes()
    assert (anonymous in volumes()) != with_volumes
    for name in {anonymous, "kept"} & volumes():
        assert delete(engine, "volume", name)["changed"]


@pytest.mark.shows("DeleteObject", "fails")
def test_what_the_engine_refuses_is_an_error_and_no_change(engine: LabEngine) -> None:
    assert refused(engine, "network", "bridge")[0] == "Refused"
    engine.create(name="user", HostConfig={"Binds": ["used:/used"]})
    assert refused(engine, "volume", "used")[0] == "Conflict"
    delete(engine, "container", "user")
    assert delete(engine, "volume", "used")["changed"]


def test_of_two_at_once_one_deletes_and_none_fails(engine: LabEngine) -> None:
    for _ in range(5):
        engine.run(name="contested")
        with ThreadPoolExecutor(3) as pool:
            runs = [pool.submit(delete, engine, "container", "contested", force=True) for _ in range(3)]
            answers = [run.result() for run in runs]
        assert [one["changed"] for one in answers].count(True) == 1, answers
        assert all(("id" in one) == one["changed"] for one in answers)


def test_what_is_being_deleted_already_is_no_error(tmp_path: Path) -> None:
    container = b'{"Id": "%b", "Name": "/web", "Config": {}, "State": {"Status": "exited"}}' % (b"a" * 64)
    text = b'{"message": "removal of container web is already in progress"}'
    with Scripted(tmp_path, say(answer(container)), say(answer(text, "409 Conflict"))) as server:
        settings = {"server": "2", "otherServer": server.url, "objectType": "container"}
        body = done(run_step("DeleteObject", {"value": "web"}, settings))
    assert (body["changed"], body["plan"]) == (False, [])


@pytest.fixture
def cut(engine: LabEngine) -> Iterator[FaultyProxy]:
    with FaultyProxy(engine.socket) as proxy:
        yield proxy


def test_a_lost_answer_is_settled_by_a_look(engine: LabEngine, cut: FaultyProxy) -> None:
    make(engine, "volume")
    cut.answers.cut_after(0, once=True, asked=b"DELETE")
    settings = {"server": "2", "otherServer": f"http://{cut.host}:{cut.port}", "objectType": "volume"}
    body = done(run_step("DeleteObject", {"value": "doomed"}, settings))
    assert gone(engine, "/volumes/doomed")
    assert (body["changed"], body["id"]) == (True, "doomed")


def test_a_lost_request_stays_unknown(engine: LabEngine, cut: FaultyProxy) -> None:
    path = make(engine, "volume")
    cut.requests.cut_after(0, once=True, asked=b"DELETE")
    settings = {"server": "2", "otherServer": f"http://{cut.host}:{cut.port}", "objectType": "volume"}
    assert failed(run_step("DeleteObject", {"value": "doomed"}, settings))[0] == "OutcomeUnknown"
    assert not gone(engine, path)
    delete(engine, "volume", "doomed")


def test_what_cannot_be_meant_is_refused(engine: LabEngine) -> None:
    assert refused(engine, "task", "x")[0] == "BadInput"
    assert refused(engine, "container", "")[0] == "BadInput"
    assert failed(step(engine, "DeleteObject", {"value": "x", "withVolumes": True}, "image"))[0] == "BadInput"
    assert not delete(engine, "container", "", allowCriteriaToBeOmitted=True)["changed"]
