"""Builds that give an archive or push their image, on engines with either image store."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.conftest import Able
from tests.integration.operations.proving import failure, success
from tests.integration.operations.site import Site
from tests.integration.operations.test_buildkit import build, name

__all__ = ["name"]

pytestmark = pytest.mark.engine


def containerd(site: Site) -> bool:
    return site.containerd


@success("ImageBuild")
@pytest.mark.parametrize("kind", ["tar", "local"])
def test_the_files_of_an_image_come_as_an_attachment(site: Site, name: str, kind: str, able: Able) -> None:
    mark = random_id()
    body = build(site, name, f"RUN echo {mark} > /mark", outputs=[{"type": kind, "dest": "out"}])
    del body["version"]  # outputs alone ask for BuildKit
    if site.name == "podman":
        assert "outputs cannot be given" in site.fails("ImageBuild", body, "NotSupported")
        able("output tar", seen=False)
        return
    built = site.do("ImageBuild", body)
    with tarfile.open(fileobj=io.BytesIO(site.content(built["attachment"]))) as archive:
        held = archive.extractfile("mark")
        assert held is not None
        assert held.read().decode().strip() == mark
    assert "id" not in built
    able("output tar", seen=True)


@success("ImageBuild")
@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_image_archives_come_where_the_engine_can_make_them(
    site: Site, name: str, kind: str, able: Able
) -> None:
    body = build(site, name, f"RUN echo {random_id()} > /mark", outputs=[{"type": kind}])
    if not containerd(site):
        told = site.fails("ImageBuild", body, "NotSupported")
        assert "outputs cannot be given" in told or "containerd image store" in told
        able(f"output {kind}", seen=False)
        return
    built = site.do("ImageBuild", body)
    with tarfile.open(fileobj=io.BytesIO(site.content(built["attachment"]))) as archive:
        assert "oci-layout" in archive.getnames()
    loaded = site.do("ImageLoad", {}, attachments={"image": built["attachment"]})
    assert loaded["ids"] or loaded["tags"]
    able(f"output {kind}", seen=True)


@success("ImageBuild")
def test_an_image_is_built_and_pushed_in_one_go(site: Site, name: str, able: Able) -> None:
    if not containerd(site):
        body = build(site, name, outputs=[{"type": "image", "push": True}])
        if site.name != "podman":
            assert "containerd image store" in site.fails("ImageBuild", body, "NotSupported")
        able("push in one go", seen=False)
        return
    registry = site.secured
    repository = f"shop/{random_id()}"
    outputs = [{"type": "image", "push": True}]
    logins = {registry.address: {"username": registry.user, "password": registry.password}}
    body = build(site, f"{registry.address}/{repository}:1", f"RUN echo {random_id()}", outputs=outputs)
    built = site.do("ImageBuild", body, registries=logins)
    assert registry.tags(repository) == ["1"]
    body = build(site, name, outputs=[{**outputs[0], "name": f"{registry.address}/{repository}:2"}])
    assert "an image gets one of both" in site.fails("ImageBuild", body, "BadInput", registries=logins)
    assert site.do("ImageBuild", {**body, "t": None}, registries=logins)["tags"]
    assert registry.tags(repository) == ["1", "2"]
    assert built["digest"].startswith("sha256:")
    assert registry.password not in json.dumps(built)
    able("push in one go", seen=True)


@failure("ImageBuild")
def test_a_build_that_fails_gives_no_archive(site: Site, name: str) -> None:
    body = build(site, name, "RUN exit 4", outputs=[{"type": "tar"}])
    told = site.fails("ImageBuild", body, "StreamFailed", "NotSupported")
    if site.name != "podman":
        assert "ended with exit code 4" in told


@success("ImageBuild")
def test_a_build_for_the_cache_alone_makes_no_image(site: Site, name: str, able: Able) -> None:
    if site.name == "podman":
        return
    body = build(site, name, f"RUN echo {random_id()}", outputs=[{"type": "cacheonly"}])
    built = site.do("ImageBuild", body)
    assert "id" not in built
    assert site.engine.wire.ask("GET", f"/images/{name}/json").status == 404
    assert site.do("ImageBuild", {**body, "outputs": []})["cachedSteps"] >= 1
    able("output cacheonly", seen=True)
