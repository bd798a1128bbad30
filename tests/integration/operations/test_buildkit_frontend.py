"""Dockerfiles that name a frontend (`# syntax=`): one that works, behind a password, and some that do not."""

from __future__ import annotations

import json

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.conftest import Able
from tests.integration.operations.proving import failure, success
from tests.integration.operations.site import Site
from tests.integration.operations.test_buildkit import build, name
from tests.integration.operations.test_buildkit_session import mount, private_base
from tests.lab.frontend import frontend_image
from tests.lab.frontend_program import MARK

__all__ = ["name"]

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("site", ["20.10", "28.5-containerd"], indirect=True, scope="session")
@success("ImageBuild")
@failure("ImageBuild")
def test_a_frontend_of_a_private_registry_builds_what_the_dockerfile_says(
    site: Site, name: str, able: Able
) -> None:
    registry, value = site.secured, f"hush-{random_id()}"
    own = frontend_image(site.lab, "lab/frontend:1")
    frontend = registry.push(site.lab, f"shop/{random_id()}:1", own)
    site.engine.wire.ask("DELETE", f"/images/{frontend}")
    line = mount("token", f"wc -c /run/secrets/token; echo {random_id()}", required="true")
    body = build(site, name, line, secrets={"token": value})
    body["dockerfileText"] = f"# syntax={frontend}\n{body['dockerfileText']}"
    told = site.fails("ImageBuild", body, "StreamFailed")
    assert f"The registry {registry.address} wants a login" in told
    wrong = {registry.address: {"username": registry.user, "password": "wrong-password"}}
    told = site.fails("ImageBuild", {**body, "X_Registry_Config": wrong}, "StreamFailed")
    assert f"The registry {registry.address} refused the login given" in told
    assert "wrong-password" not in told

    right = {registry.address: {"username": registry.user, "password": registry.password}}
    body["X_Registry_Config"] = right
    built = site.do("ImageBuild", body)
    assert any(f"{len(value)} /run/secrets/token" in text for text in built["lines"])
    assert any(step["name"].startswith("docker-image://") for step in built["steps"])
    found = site.engine.wire.do("GET", f"/images/{name}/json").json()
    assert found["Config"]["Labels"][MARK] == "was here"

    body["dockerfileText"] = body["dockerfileText"].replace(
        line, mount("token", "cat /run/secrets/token; exit 7")
    )
    told = site.fails("ImageBuild", body, "StreamFailed")
    assert "ended with exit code 7. Before it: ***" in told
    assert value not in json.dumps([built, told])
    able("frontend of a private registry (# syntax=)", seen=True)


@pytest.mark.parametrize("site", ["20.10", "26.1", "28.5", "28.5-containerd"], indirect=True, scope="session")
@failure("ImageBuild")
def test_an_image_that_is_no_frontend_and_one_that_is_not_there_are_told(site: Site, name: str) -> None:
    registry = site.secured
    logins = {registry.address: {"username": registry.user, "password": registry.password}}
    body = build(site, name, X_Registry_Config=logins)
    text = body["dockerfileText"]
    absent = f"{registry.address}/shop/{random_id()}:1"
    told = site.fails("ImageBuild", {**body, "dockerfileText": f"# syntax={absent}\n{text}"}, "StreamFailed")
    assert "not found" in told
    assert absent in told
    other = private_base(site)
    told = site.fails("ImageBuild", {**body, "dockerfileText": f"# syntax={other}\n{text}"}, "StreamFailed")
    assert f"The frontend {other} that the Dockerfile names (# syntax=) ended with exit code 1" in told
