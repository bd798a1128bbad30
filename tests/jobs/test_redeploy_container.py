"""RedeployContainer on real engines: what is good takes the place, what is bad is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.crash import Delivery, deaths
from tests.jobs.engines import config, own
from tests.jobs.finding import done, failed
from tests.jobs.half_done import as_planned, called, planned, planned_back
from tests.lab.at_once import at_once
from tests.lab.engine import LabEngine

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "RedeployContainer"
ALWAYS = {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}}
GOOD, BAD = {"env": {"VERSION": "2"}}, {"settings": {"Cmd": ["sh", "-c", "echo broken; exit 7"]}}
SOON = {"stableSeconds": 0.2, "stopSeconds": 0}


@pytest.fixture
def web(own: LabEngine) -> Iterator[str]:
    """A running container with a policy and a port; all that has its name goes at the end."""
    name = f"web-{random_id()[:8]}"
    own.run(["sh", "-c", "sleep 600"], name=name, Env=["VERSION=1", "KEPT=yes"], HostConfig=dict(ALWAYS))
    yield name
    for one in of(own, name):
        own.remove(one)
    own.wire.do("POST", "/volumes/prune")


def of(engine: LabEngine, name: str) -> list[str]:
    """Names of all containers that a replacement of one has made or left."""
    listed = engine.wire.do("GET", "/containers/json", all=True).json()
    return sorted(one["Names"][0][1:] for one in listed if one["Names"][0][1:].startswith(name))


def inspect(engine: LabEngine, name: str) -> Any:
    return engine.wire.do("GET", f"/containers/{name}/json").json()


def redeploy(engine: LabEngine, name: str, fields: dict[str, Any] | None = None, **settings: Any) -> Any:
    body = {"target": name, **SOON, **(GOOD if fields is None else fields)}
    return done(run_step(KEY, body, config(engine, errorPolicy="throwError", **settings)))


def refused(
    engine: LabEngine, name: str, fields: dict[str, Any] | None = None, **settings: Any
) -> tuple[str, str]:
    body = {"target": name, **SOON, **(GOOD if fields is None else fields)}
    return failed(run_step(KEY, body, config(engine, errorPolicy="throwError", **settings)))


def test_a_good_one_succeeds_the_old_one_with_all_that_it_was_given(own: LabEngine, web: str) -> None:
    before = inspect(own, web)
    told = redeploy(own, web)
    now = inspect(own, web)

    assert (told["action"], told["changed"], told["new"]["id"]) == ("redeployed", True, now["Id"])
    assert now["Id"] != before["Id"]
    assert {"VERSION=2", "KEPT=yes"} <= set(now["Config"]["Env"])
    assert (now["State"]["Running"], now["HostConfig"]["RestartPolicy"]["Name"]) == (True, "always")
    assert of(own, web) == [web]


def test_the_old_image_goes_where_that_is_wanted_as_its_dry_run_says(own: LabEngine, web: str) -> None:
    own.wire.do("POST", "/commit", {}, container=web, repo=f"other-{web}", tag="1")
    redeploy(own, web, {"image": f"other-{web}:1", "pull": "never"})
    wish = {
        "image": own.image,
        "pull": "never",
        "removeOldImage": True,
        **GOOD,
        "settings": {"Cmd": ["sleep", "600"]},
    }
    planned = redeploy(own, web, wish, dryRun=True)
    told = redeploy(own, web, wish)

    steps = [[(one["action"], one["kind"]) for one in run["plan"]] for run in (planned, told)]
    assert steps[0] == steps[1]
    assert ("remove", "image") in steps[1]
    assert own.wire.ask("GET", f"/images/other-{web}:1/json").status == 404


def test_a_bad_one_fails_and_the_old_one_runs_again(own: LabEngine, web: str) -> None:
    before = inspect(own, web)
    told = redeploy(own, web, BAD)
    now = inspect(own, web)

    assert (told["action"], told["exitCode"], told["lastLines"][0]) == ("rolledBack", 7, "broken")
    assert (now["Id"], now["State"]["Running"]) == (before["Id"], True)
    assert now["HostConfig"]["RestartPolicy"]["Name"] == "always"
    assert of(own, web) == sorted([web, told["kept"]])
    assert not inspect(own, told["kept"])["State"]["Running"]


def test_a_sick_one_fails_too(own: LabEngine, web: str) -> None:
    sick = {"Healthcheck": {"Test": ["CMD", "false"], "Interval": 100_000_000, "Retries": 1}}
    told = redeploy(own, web, {"settings": sick})

    assert (told["action"], told["health"]) == ("rolledBack", "unhealthy")
    assert inspect(own, web)["State"]["Running"]


def test_one_that_cannot_be_started_fails_with_the_engines_words(own: LabEngine, web: str) -> None:
    told = redeploy(own, web, {"settings": {"Cmd": ["/no/such/program"]}})

    assert (told["action"], "no such file" in told["reason"]) == ("rolledBack", True)
    assert inspect(own, web)["State"]["Running"]


def test_the_bad_one_of_an_earlier_run_goes_with_the_next(own: LabEngine, web: str) -> None:
    kept = redeploy(own, web, BAD)["kept"]
    redeploy(own, web)

    assert of(own, web) == [web]
    assert kept not in of(own, web)


def test_a_log_line_may_be_the_check(own: LabEngine, web: str) -> None:
    ready = {
        "settings": {"Cmd": ["sh", "-c", "echo ready; sleep 600"]},
        "check": "logLine",
        "pattern": "^ready$",
    }

    assert redeploy(own, web, ready)["action"] == "redeployed"


def test_repeat_without_a_difference_changes_nothing(own: LabEngine, web: str) -> None:
    redeploy(own, web)
    identity = inspect(own, web)["Id"]
    told = redeploy(own, web)

    assert (told["action"], told["changed"], told["plan"]) == ("none", False, [])
    assert inspect(own, web)["Id"] == identity


def test_another_image_under_the_tag_is_a_reason(own: LabEngine, web: str) -> None:
    own.wire.do("POST", f"/images/{own.image}/tag", repo="moving", tag="1")
    name = f"{web}-moved"
    own.run(["sleep", "600"], name=name, Image="moving:1")
    own.wire.do("POST", "/commit", container=web, repo="moving", tag="1")
    told = redeploy(own, name, {"pull": "never"})

    assert told["action"] == "redeployed"
    assert told["old"]["imageId"] != told["new"]["imageId"]


@pytest.mark.parametrize("fields", [GOOD, {"onlyIfNewer": False}])
def test_dry_run_is_the_plan_of_the_real_run(own: LabEngine, web: str, fields: dict[str, Any]) -> None:
    before = inspect(own, web)
    planned = redeploy(own, web, fields, dryRun=True)
    assert inspect(own, web) == before
    real = redeploy(own, web, fields)

    def shape(plan: list[Any]) -> list[Any]:
        return [(one["action"], one["kind"], one["name"].partition("-")[0]) for one in plan]

    assert (planned["changed"], planned["dryRun"]) == (False, True)
    assert shape(planned["plan"]) == shape(real["plan"])


def test_read_only_changes_nothing(own: LabEngine, web: str) -> None:
    before = inspect(own, web)

    assert refused(own, web, accessMode="readOnly")[0] == "ReadOnly"
    assert redeploy(own, web, accessMode="readOnly", dryRun=True)["plan"]
    assert (inspect(own, web), of(own, web)) == (before, [web])


CHANGES = ["create", "update", "stop", "rename", "rename", "start", "DELETE"]
BACK = ["create", "update", "stop", "rename", "rename", "start", "rename", "rename", "update", "start"]


def delivery(engine: LabEngine, name: str, fields: dict[str, Any]) -> Delivery:
    return Delivery(engine, KEY, {"target": name, **SOON, **fields})


def test_the_changing_calls(own: LabEngine, web: str) -> None:
    assert called(delivery(own, web, GOOD).run().calls) == CHANGES
    bad = {"settings": {"Cmd": ["false"], "HostConfig": {"RestartPolicy": {"Name": "no"}}}}
    assert called(delivery(own, web, bad).run().calls) == BACK


@pytest.mark.parametrize("die", deaths(len(CHANGES)))
def test_killed_at_a_change_the_next_delivery_goes_on(own: LabEngine, web: str, die: Any) -> None:
    before = inspect(own, web)
    one = delivery(own, web, GOOD)
    one.run(die)
    dry = planned(one)
    last = one.run()
    as_planned(dry, last)
    now = inspect(own, web)

    assert last.finished, last.errors
    assert last.bodies[-1]["action"] == "redeployed"
    assert now["Id"] != before["Id"]
    assert (now["State"]["Running"], now["HostConfig"]["RestartPolicy"]["Name"]) == (True, "always")
    assert of(own, web) == [web]
    assert (
        len([event for event in one.events("create") if event["Actor"]["Attributes"]["name"].startswith(web)])
        == 1
    )


@pytest.mark.parametrize("die", deaths(len(BACK)))
def test_killed_on_the_way_back_the_next_delivery_goes_on(own: LabEngine, web: str, die: Any) -> None:
    before = inspect(own, web)
    bad = {"settings": {"Cmd": ["false"], "HostConfig": {"RestartPolicy": {"Name": "no"}}}}
    one = delivery(own, web, bad)
    one.run(die)
    dry = planned_back(one, die, web, BACK)
    last = one.run()
    if dry:
        as_planned(dry, last)
    now = inspect(own, web)

    assert last.finished, last.errors
    assert last.bodies[-1]["action"] == "rolledBack"
    assert (now["Id"], now["State"]["Running"]) == (before["Id"], True)
    assert now["HostConfig"]["RestartPolicy"]["Name"] == "always"
    assert of(own, web) == sorted([web, last.bodies[-1]["kept"]])


def test_two_at_once_replace_it_once(own: LabEngine, web: str) -> None:
    body = {"target": web, **SOON, **GOOD, "idempotencyKey": "same"}
    given = config(own, errorPolicy="throwError")
    outcomes = at_once(*[lambda: run_step(KEY, body, given)] * 3)
    told = [body["action"] for outcome in outcomes for body in outcome.bodies]
    names = {error["name"] for outcome in outcomes for error in outcome.errors}

    assert set(told) == {"redeployed"}, [error for outcome in outcomes for error in outcome.errors]
    assert names <= {"NotSettled", "NotFound", "Conflict"}, [
        error for outcome in outcomes for error in outcome.errors
    ]
    assert inspect(own, web)["State"]["Running"]
    assert of(own, web) == [web]


def test_two_flows_at_once_conflict(own: LabEngine, web: str) -> None:
    own.create(["true"], name=f"{web}.next-0123abcd")

    assert refused(own, web)[0] == "Conflict"


@pytest.mark.parametrize(
    ("made", "word"),
    [
        ({"HostConfig": {"AutoRemove": True}}, "AutoRemove"),
        ({"Labels": {"com.docker.swarm.task.id": "x"}}, "task"),
        ({"Labels": {"com.docker.compose.project": "shop"}}, "Compose project shop"),
    ],
)
def test_what_has_no_way_back_fails_before_anything_happens(
    own: LabEngine, made: dict[str, Any], word: str
) -> None:
    name = f"odd-{random_id()[:8]}"
    own.run(["sleep", "600"], name=name, **made)
    before = inspect(own, name)
    error = refused(own, name)

    assert (error[0], word in error[1]) == ("BadInput", True)
    assert (inspect(own, name), of(own, name)) == (before, [name])
    own.remove(name)


def test_a_container_of_compose_may_be_allowed(own: LabEngine) -> None:
    name = f"shop-{random_id()[:8]}"
    own.run(["sleep", "600"], name=name, Labels={"com.docker.compose.project": "shop"})

    assert redeploy(own, name, {**GOOD, "evenIfManaged": True})["action"] == "redeployed"
    own.remove(name)


def test_anonymous_volumes_go_over(own: LabEngine, web: str) -> None:
    name = f"{web}-data"
    own.run(["sh", "-c", "echo kept >/data/file; sleep 600"], name=name, Volumes={"/data": {}})
    volume = inspect(own, name)["Mounts"][0]["Name"]
    redeploy(own, name)

    assert [mount["Name"] for mount in inspect(own, name)["Mounts"]] == [volume]


def test_networks_go_over_with_aliases_and_addresses(own: LabEngine, web: str) -> None:
    name, nets = f"{web}-net", [f"n{random_id()[:8]}" for _ in range(2)]
    for number, net in enumerate(nets):
        pool = {"Config": [{"Subnet": f"10.98.{number + 1}.0/24"}]}
        own.wire.do("POST", "/networks/create", {"Name": net, "IPAM": pool})
    ends = {nets[0]: {"Aliases": ["shop"], "IPAMConfig": {"IPv4Address": "10.98.1.7"}}}
    own.run(
        ["sleep", "600"],
        name=name,
        HostConfig={"NetworkMode": nets[0]},
        NetworkingConfig={"EndpointsConfig": ends},
    )
    own.wire.do(
        "POST", f"/networks/{nets[1]}/connect", {"Container": name, "EndpointConfig": {"Aliases": ["db"]}}
    )
    redeploy(own, name)
    found = inspect(own, name)["NetworkSettings"]["Networks"]

    assert set(found) == set(nets)
    assert (found[nets[0]]["IPAddress"], "shop" in found[nets[0]]["Aliases"]) == ("10.98.1.7", True)
    assert "db" in found[nets[1]]["Aliases"]
    own.remove(name)
    for net in nets:
        own.wire.do("DELETE", f"/networks/{net}")


def test_trap_10_a_mac_address_that_was_asked_for_stays(own: LabEngine, web: str) -> None:
    name, mac = f"{web}-mac", "02:42:ac:11:22:33"
    own.run(["sleep", "600"], name=name, MacAddress=mac)
    redeploy(own, name)

    assert inspect(own, name)["NetworkSettings"]["Networks"]["bridge"]["MacAddress"] == mac


def test_trap_19_dependants_are_named(own: LabEngine, web: str) -> None:
    name = f"{web}-side"
    own.run(["sleep", "600"], name=name, HostConfig={"NetworkMode": f"container:{web}"})
    told = redeploy(own, web)

    assert told["dependants"] == [name]
    assert any(name in warning for warning in told["warnings"])


def test_trap_22_what_the_old_image_gave_comes_from_the_new_one(own: LabEngine, web: str) -> None:
    for number, (colour, tone) in enumerate((("red", "dark"), ("blue", "light"))):
        changes = (f"ENV COLOUR={colour}", f"LABEL tone={tone}", f'CMD ["sleep", "50{number}"]')
        pairs = [
            ("container", web),
            ("repo", "painted"),
            ("tag", number),
            *(("changes", one) for one in changes),
        ]
        own.wire.do("POST", f"/commit?{urlencode(pairs)}")
    name = f"{web}-painted"
    body = {"Image": "painted:0", "Env": ["OWN=1"], "StopSignal": "SIGKILL"}
    own.wire.do("POST", "/containers/create", body, name=name)
    own.wire.do("POST", f"/containers/{name}/start")
    redeploy(own, name, {"image": "painted:1", "pull": "never"})
    config_now = inspect(own, name)["Config"]

    assert {"COLOUR=blue", "OWN=1"} <= set(config_now["Env"])
    assert (config_now["Labels"]["tone"], config_now["Cmd"]) == ("light", ["sleep", "501"])


def test_several_stop_at_the_first_failure(own: LabEngine, web: str) -> None:
    names = [f"{web}-{letter}" for letter in "abc"]
    for name in names:
        own.run(["sleep", "600"], name=name, Labels={"team": web})
    body = {"targets": {"labels": [f"team={web}"]}, **SOON, **BAD}
    told = done(run_step(KEY, body, config(own, errorPolicy="throwError")))

    assert [(one["name"], one["action"]) for one in told["results"]] == [(names[0], "rolledBack")]
    assert told["failed"] == 1
    assert all(inspect(own, name)["State"]["Running"] for name in names)


def test_several_succeed_one_after_the_other(own: LabEngine, web: str) -> None:
    names = [f"{web}-{letter}" for letter in "ab"]
    for name in names:
        own.run(["sleep", "600"], name=name, Labels={"team": web})
    body = {"targets": {"labels": [f"team={web}"]}, **SOON, **GOOD}
    told = done(run_step(KEY, body, config(own, errorPolicy="throwError")))

    assert [(one["name"], one["action"]) for one in told["results"]] == [
        (name, "redeployed") for name in names
    ]


def test_one_that_was_stopped_stays_stopped(own: LabEngine, web: str) -> None:
    name = f"{web}-off"
    own.create(["sleep", "600"], name=name)
    told = redeploy(own, name)
    now = inspect(own, name)

    assert (told["action"], now["State"]["Running"]) == ("redeployed", False)
    assert "VERSION=2" in now["Config"]["Env"]


def test_one_that_is_not_there_fails(own: LabEngine) -> None:
    assert refused(own, "nobody")[0] == "NotFound"


def test_labels_of_the_job_do_not_pile_up(own: LabEngine, web: str) -> None:
    redeploy(own, web)
    first = inspect(own, web)["Config"]["Labels"]
    redeploy(own, web, {"env": {"VERSION": "3"}})
    second = inspect(own, web)["Config"]["Labels"]

    assert set(first) == set(second)
    assert first["docker-engine-connector.run"] != second["docker-engine-connector.run"]
