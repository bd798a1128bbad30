"""What an engine asks for during a BuildKit build: secrets, and logins of registries with passwords and tokens."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.conftest import Able
from tests.integration.operations.proving import Body, failure, success
from tests.integration.operations.site import Site
from tests.integration.operations.test_buildkit import BUILDKIT, build, name
from tests.lab.socket_proxy import SocketProxy
from tests.lab.token_proxy import TokenProxy

__all__ = ["name"]

pytestmark = pytest.mark.engine
# Everything but sessions, as proxies before an engine's socket have it by default.
NO_SESSION = r"(?!POST /(session|grpc)).*"


def mount(secret: str, command: str, **more: str) -> str:
    options = ",".join(["type=secret", f"id={secret}", *(f"{key}={value}" for key, value in more.items())])
    return f"RUN --mount={options} {command}"


@success("ImageBuild")
def test_secrets_reach_their_step_and_nothing_else(site: Site, name: str, able: Able) -> None:
    value = f"hush-{random_id()}"
    lines = [
        mount("token", "cat /run/secrets/token; wc -c /run/secrets/token"),
        mount("other", "ls /run/secrets; true"),
    ]
    body = build(site, name, *lines, secrets={"token": value, "never": "asked for"})
    if site.name == "podman":
        assert "secrets cannot be given" in site.fails("ImageBuild", body, "NotSupported")
        able("secrets", seen=False)
        return
    del body["version"]  # secrets alone ask for BuildKit
    built = site.do("ImageBuild", body)
    assert value not in json.dumps(built)
    assert any(line.endswith(f"{len(value)} /run/secrets/token") for line in built["lines"])
    assert any("***" in line for line in built["lines"])
    assert (built["secretsMissing"], built["secretsUnused"]) == (["other"], ["never"])
    assert value not in json.dumps(site.engine.wire.do("GET", f"/images/{name}/history").json())
    able("secrets", seen=True)


@success("ImageBuild")
def test_a_large_secret_of_bytes_comes_whole(site: Site, name: str) -> None:
    if site.name == "podman":
        site.fails("ImageBuild", build(site, name, secrets={"a": "xxxxxx"}), "NotSupported")
        return
    content = bytes(range(256)) * 1600
    given = {"large": {"base64": base64.b64encode(content).decode()}}
    line = mount("large", f"sha256sum /run/secrets/large; echo {random_id()}")
    built = site.do("ImageBuild", build(site, name, line, secrets=given))
    assert any(hashlib.sha256(content).hexdigest() in text for text in built["lines"])


@failure("ImageBuild")
def test_a_secret_that_the_dockerfile_requires_is_named(site: Site, name: str) -> None:
    body = build(site, name, mount("needed", "true", required="true"))
    told = site.fails("ImageBuild", body, "StreamFailed")
    if site.name != "podman":
        assert "The Dockerfile needs the secret needed" in told


@failure("ImageBuild")
def test_a_secret_that_a_failing_step_prints_is_hidden(site: Site, name: str) -> None:
    value = f"hush-{random_id()}"
    body = build(site, name, mount("token", "cat /run/secrets/token; exit 3"), secrets={"token": value})
    told = site.fails("ImageBuild", body, "StreamFailed", "NotSupported")
    assert value not in told
    if site.name != "podman":
        assert "exit code 3. Before it: ***" in told


def private_base(site: Site) -> str:
    """An image that only the registry with a password has."""
    base = site.secured.push(site.lab, f"shop/{random_id()}:1", site.engine.image)
    site.engine.wire.ask("DELETE", f"/images/{base}")
    return base


@success("ImageBuild")
@pytest.mark.parametrize("login", ["message", "credential"])
def test_a_private_base_image_is_pulled_with_a_login(site: Site, name: str, login: str, able: Able) -> None:
    if site.name == "podman":
        site.fails("ImageBuild", build(site, name, "RUN exit 1"), "StreamFailed")
        return
    registry = site.secured
    logins = {registry.address: {"username": registry.user, "password": registry.password}}
    body: Body = {"dockerfileText": f"FROM {private_base(site)}\nRUN true\n", "t": name, **BUILDKIT}
    settings: dict[str, Any] = {}
    if login == "message":
        body["X_Registry_Config"] = logins
    else:
        settings["registries"] = logins
    assert site.do("ImageBuild", body, **settings)["id"].startswith("sha256:")
    able("login with a password", seen=True)


@failure("ImageBuild")
def test_a_wrong_password_and_none_are_the_registrys_refusal(site: Site, name: str) -> None:
    if site.name == "podman":
        site.fails("ImageBuild", build(site, name, "RUN exit 1"), "StreamFailed")
        return
    registry = site.secured
    body = {"dockerfileText": f"FROM {private_base(site)}\nRUN true\n", "t": name, **BUILDKIT}
    told = site.fails("ImageBuild", body, "StreamFailed")
    assert "login" in told
    wrong = {registry.address: {"username": registry.user, "password": "wrong-password"}}
    told = site.fails("ImageBuild", {**body, "X_Registry_Config": wrong}, "StreamFailed")
    assert "login" in told
    assert "wrong-password" not in told


@success("ImageBuild")
@failure("ImageBuild")
def test_an_identity_token_is_traded_in(site: Site, name: str, able: Able) -> None:
    if site.name == "podman":
        return
    base = site.registry.push(site.lab, f"shop/{random_id()}:1", site.engine.image)
    site.engine.wire.ask("DELETE", f"/images/{base}")
    with TokenProxy(site.lab, site.registry, identity="token-1") as registry:
        text = f"FROM {registry.address}/{base.partition('/')[2]}\nRUN true\n"
        body: Body = {"dockerfileText": text, "t": name, **BUILDKIT}
        wrong = {registry.address: {"identitytoken": "token-2"}}
        told = site.fails("ImageBuild", {**body, "X_Registry_Config": wrong}, "StreamFailed")
        assert f"The registry {registry.address} refused the login given" in told
        assert "token-2" not in told
        right = {registry.address: {"identitytoken": "token-1"}}
        assert site.do("ImageBuild", {**body, "X_Registry_Config": right})["id"].startswith("sha256:")
    able("login with an identity token", seen=True)


@success("ImageBuild")
@failure("ImageBuild")
def test_a_registry_that_gives_everybody_a_token_needs_a_session(site: Site, name: str, able: Able) -> None:
    """As Docker Hub does: without a session its public images are out of reach."""
    if site.name == "podman":
        return
    base = site.registry.push(site.lab, f"shop/{random_id()}:1", site.engine.image)
    site.engine.wire.ask("DELETE", f"/images/{base}")
    with TokenProxy(site.lab, site.registry) as public, SocketProxy(site.lab.socket, NO_SESSION) as closed:
        image = f"{public.address}/{base.partition('/')[2]}"
        body: Body = {"dockerfileText": f"FROM {image}\nRUN true\n", "t": name, **BUILDKIT}
        told = site.fails("ImageBuild", body, "StreamFailed", otherServer=closed.url)
        assert "POST /session was answered with 403" in told
        assert site.do("ImageBuild", body)["id"].startswith("sha256:")
    able("public image of a registry with tokens", "with a session")


@success("ImageBuild")
@failure("ImageBuild")
def test_a_password_buys_a_token(site: Site, name: str, able: Able) -> None:
    if site.name == "podman":
        return
    base = site.registry.push(site.lab, f"shop/{random_id()}:1", site.engine.image)
    site.engine.wire.ask("DELETE", f"/images/{base}")
    with TokenProxy(site.lab, site.registry, "me:open-sesame") as private:
        image = f"{private.address}/{base.partition('/')[2]}"
        body: Body = {"dockerfileText": f"FROM {image}\nRUN true\n", "t": name, **BUILDKIT}
        told = site.fails("ImageBuild", body, "StreamFailed")
        assert f"The registry {private.address} wants a login" in told
        wrong = {private.address: {"username": "me", "password": "open-barley"}}
        told = site.fails("ImageBuild", {**body, "X_Registry_Config": wrong}, "StreamFailed")
        assert f"The registry {private.address} refused the login given" in told
        assert "barley" not in told
        right = {private.address: {"username": "me", "password": "open-sesame"}}
        assert site.do("ImageBuild", {**body, "X_Registry_Config": right})["id"].startswith("sha256:")
    able("login that buys a token", seen=True)


@failure("ImageBuild")
def test_a_proxy_that_lets_no_session_through_is_told(site: Site, name: str) -> None:
    if site.name == "podman":
        site.fails("ImageBuild", build(site, name, "RUN exit 1"), "StreamFailed")
        return
    with SocketProxy(site.lab.socket, NO_SESSION) as proxy:
        built = site.do("ImageBuild", build(site, name, "RUN true"), otherServer=proxy.url)
        assert built["builder"] == "buildkit"
        secret = build(site, name, secrets={"token": "hush-hush"})
        told = site.fails("ImageBuild", secret, "NotSupported", otherServer=proxy.url)
        assert "secrets cannot be given: POST /session was answered with 403" in told
        private = {"dockerfileText": f"FROM {private_base(site)}\n", "t": name, **BUILDKIT}
        told = site.fails("ImageBuild", private, "StreamFailed", otherServer=proxy.url)
        assert "POST /session was answered with 403" in told
