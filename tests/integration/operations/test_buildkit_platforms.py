"""Builds for several platforms and with caches elsewhere, through BuildKit's own service; and sessions through it."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.conftest import Able
from tests.integration.operations.proving import Body, failure, success
from tests.integration.operations.site import Site
from tests.integration.operations.test_buildkit import EACH_STORE, build, name
from tests.integration.operations.test_buildkit_outputs import containerd
from tests.integration.operations.test_buildkit_session import mount
from tests.lab.socket_proxy import SocketProxy

__all__ = ["name"]

pytestmark = [pytest.mark.engine, EACH_STORE]
TWO = "linux/amd64,linux/arm64"


def scratch(name: str, **more: Any) -> Body:
    """A build that runs nothing, as no emulation of other processors is at hand."""
    text = "FROM scratch\nARG TARGETARCH\nARG A\nCOPY $TARGETARCH /arch\nCOPY mark /mark\nLABEL a=$A\n"
    files = [
        {"name": "sub/Own", "content": text},
        {"name": "amd64", "content": "for amd64"},
        {"name": "arm64", "content": "for arm64"},
        {"name": "mark", "content": random_id()},
        {"name": "large", "content": "x" * 300_000},
    ]
    settings = {
        "platform": f"{TWO}, linux/amd64",
        "dockerfile": "sub/Own",
        "buildargs": {"A": "one"},
        "labels": {"b": "two"},
    }
    return {"files": files, "t": name, **settings, **more}


@success("ImageBuild")
def test_files_for_several_platforms_come_in_one_archive(site: Site, name: str, able: Able) -> None:
    body = scratch(name, outputs=[{"type": "tar"}])
    if site.name == "podman":
        assert "platform cannot be given" in site.fails("ImageBuild", body, "NotSupported")
        return
    built = site.do("ImageBuild", body)
    with tarfile.open(fileobj=io.BytesIO(site.content(built["attachment"]))) as archive:
        for processor in ("amd64", "arm64"):
            held = archive.extractfile(f"linux_{processor}/arch")
            assert held is not None
            assert held.read().decode() == f"for {processor}"
    assert {step["stage"] for step in built["steps"]} >= {"linux/amd64", "linux/arm64"}
    assert "id" not in built
    able("several platforms, output tar", seen=True)


@success("ImageBuild")
@failure("ImageBuild")
def test_an_image_for_several_platforms_needs_the_store_for_it(site: Site, name: str, able: Able) -> None:
    if site.name == "podman":
        return
    if not containerd(site):
        told = site.fails("ImageBuild", scratch(name), "NotSupported")
        assert "needs an engine with the containerd image store" in told
        able("several platforms, image", seen=False)
        return
    built = site.do("ImageBuild", scratch(name))
    assert built["tags"] == [name]
    found = site.engine.wire.do("GET", f"/images/{name}/json", manifests="1").json()
    assert found["Id"] == built["id"] == built["digest"]
    assert found["Config"]["Labels"] == {"a": "one", "b": "two"}
    assert {entry["ImageData"]["Platform"]["architecture"] for entry in found["Manifests"]} == {
        "amd64",
        "arm64",
    }
    told = site.fails("ImageBuild", scratch(name, outputs=[{"type": "docker"}]), "BadInput")
    assert "for one platform" in told
    able("several platforms, image", seen=True)


@success("ImageBuild")
def test_an_image_for_several_platforms_is_pushed_with_a_login(site: Site, name: str, able: Able) -> None:
    if not containerd(site):
        return
    registry = site.secured
    repository = f"shop/{random_id()}"
    logins = {registry.address: {"username": registry.user, "password": registry.password}}
    body = scratch(f"{registry.address}/{repository}:1", outputs=[{"type": "image", "push": True}])
    built = site.do("ImageBuild", body, registries=logins)
    assert registry.tags(repository) == ["1"]
    assert registry.password not in json.dumps(built)
    able("several platforms, pushed", seen=True)


@success("ImageBuild")
@failure("ImageBuild")
def test_a_cache_goes_to_a_registry_and_comes_back(site: Site, name: str, able: Able) -> None:
    if site.name == "podman":
        return
    told = site.fails("ImageBuild", build(site, name, cachefrom=["type=local,src=/x"]), "BadInput")
    assert "has the type local, a folder" in told
    place = {"type": "registry", "ref": f"{site.registry.address}/cache:{random_id()}", "mode": "max"}
    body = build(site, name, f"RUN echo {random_id()} > /a", cacheTo=[place], buildid=random_id())
    del body["version"]  # it alone asks for BuildKit
    if not containerd(site):
        told = site.fails("ImageBuild", body, "NotSupported")
        assert "registry needs an engine with the containerd image store" in told
        able("cache in a registry", seen=False)
        return
    site.do("ImageBuild", body)
    site.do("BuildPrune", {"all": True})
    built = site.do("ImageBuild", {**body, "cachefrom": [f"type=registry,ref={place['ref']}"]})
    assert built["ignored"] == ["buildid"]
    steps = built["steps"]
    assert [step["status"] for step in steps if step["name"].startswith("RUN")] == ["cached"]
    told = site.fails("ImageBuild", {**body, "cacheTo": [{"type": "nowhere"}]}, "StreamFailed")
    assert "does not write such a cache" in told
    able("cache in a registry", seen=True)


@failure("ImageBuild")
def test_such_a_build_fails_with_its_reason_and_hides_secrets(site: Site, name: str) -> None:
    if site.name == "podman":
        return
    value = f"hush-{random_id()}"
    line = mount("token", "echo before; cat /run/secrets/token; exit 7")
    body = build(site, name, line, cacheTo=[{"type": "inline"}], secrets={"token": value})
    told = site.fails("ImageBuild", body, "StreamFailed")
    assert "ended with exit code 7. Before it: before\n***" in told
    assert value not in told


@success("ImageBuild")
@failure("ImageBuild")
def test_a_session_goes_another_way_where_its_own_is_refused(site: Site, name: str, able: Able) -> None:
    if site.name == "podman":
        return
    line = mount("token", f"wc -c /run/secrets/token; echo {random_id()}")
    body = build(site, name, line, secrets={"token": "x" * 200_000}, outputs=[{"type": "tar"}])
    with SocketProxy(site.lab.socket, r"(?!POST /session).*") as proxy:
        built = site.do("ImageBuild", body, otherServer=proxy.url)
        assert "POST /session" in proxy.refused
        assert any("200000 /run/secrets/token" in text for text in built["lines"])
        assert built["attachment"]["size"] > 1_000_000
    with SocketProxy(site.lab.socket, r"(?!POST /grpc).*") as proxy:
        body = scratch(name, outputs=[{"type": "tar"}])
        told = site.fails("ImageBuild", body, "NotSupported", otherServer=proxy.url)
        assert "platform cannot be given: POST /grpc was answered with 403" in told
    able("session through POST /grpc", seen=True)
