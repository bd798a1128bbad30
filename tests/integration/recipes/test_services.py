"""The recipes for services of a swarm, run as the others are."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.integration.recipes.kitchen import Kitchen
from tests.jobs.swarms import made
from tests.lab.engine import IMAGE

pytestmark = pytest.mark.engine


@pytest.fixture
def swarm(kitchen: Kitchen) -> Iterator[Kitchen]:
    """The engine as the manager of a swarm of its own; what is in the swarm goes with it."""
    wire = kitchen.engine.wire
    wire.do("POST", "/swarm/init", {"AdvertiseAddr": "127.0.0.1", "ListenAddr": "127.0.0.1:2377"})
    yield kitchen
    wire.do("POST", "/swarm/leave", force=True)


def services(swarm: Kitchen) -> set[str]:
    return {one["Spec"]["Name"] for one in swarm.ask("/services")}


def test_secret_rotation_brings_services_over(swarm: Kitchen) -> None:
    old = base64.b64encode(b"old").decode()
    secret = swarm.engine.wire.do("POST", "/secrets/create", {"Name": "db-password", "Data": old}).json()[
        "ID"
    ]
    file = {"Name": "db-password", "UID": "0", "GID": "0", "Mode": 0o444}
    used = {"SecretID": secret, "SecretName": "db-password", "File": file}
    made(swarm.engine, "db", TaskTemplate={"ContainerSpec": {"Secrets": [used]}})

    said = swarm.report("secret-rotation", image=IMAGE)

    assert "secret: db-password.v1\noutcome: converged\ntell: the vault: version 1 is in use\n" in said
    assert "services: db converged\n" in said
    spec = swarm.ask("/services/db")["Spec"]["TaskTemplate"]["ContainerSpec"]
    assert [one["SecretName"] for one in spec["Secrets"]] == ["db-password.v1"]


def test_blue_green_goes_over_once_the_new_one_answers(swarm: Kitchen) -> None:
    swarm.engine.wire.do("POST", "/networks/create", {"Name": "web", "Driver": "overlay"})
    made(swarm.engine, "proxy")
    made(swarm.engine, "web-blue")
    ours = {"image": IMAGE, "replicas": "1", "command": "sleep 600"}

    bad = swarm.report("blue-green", smoke="ls /nowhere", **ours)
    after_bad = services(swarm)
    good = swarm.report("blue-green", smoke="echo well", **ours)

    assert "outcome: the smoke test failed: ls: /nowhere: No such file" in bad
    assert "removed: web-green\n" in bad
    assert after_bad == {"proxy", "web-blue"}
    assert "outcome: the proxy leads to web-green\n" in good
    assert "proxy: converged\nremoved: web-blue\n" in good
    assert services(swarm) == {"proxy", "web-green"}
    task = swarm.ask("/services/proxy")["Spec"]["TaskTemplate"]
    assert task["ContainerSpec"]["Env"] == ["TARGET=web-green"]
