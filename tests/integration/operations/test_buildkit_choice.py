"""Which builder a build takes on each engine, and what it says of inputs that this builder does not have."""

from __future__ import annotations

import json

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.conftest import Able
from tests.integration.operations.proving import failure, success
from tests.integration.operations.site import Site
from tests.integration.operations.test_buildkit import EACH_STORE, build, name
from tests.integration.operations.test_buildkit_session import mount

__all__ = ["name"]

pytestmark = [pytest.mark.engine, EACH_STORE]


@success("ImageBuild")
def test_auto_takes_what_the_engine_prefers_unless_an_input_is_for_one_only(
    site: Site, name: str, able: Able
) -> None:
    auto = build(site, name, version="auto")
    classic = "buildkit" if site.at_least("1.42") else "classic"
    # Engines before 23.0 prefer the classic builder; Podman builds by itself.
    assert site.do("ImageBuild", auto)["builder"] == classic
    assert site.do("ImageBuild", {**auto, "memory": 100_000_000})["builder"] == "classic"
    if site.name != "podman":
        assert site.do("ImageBuild", {**auto, "inlineCache": True})["builder"] == "buildkit"
    able("builder with auto", classic)


@success("ImageBuild")
def test_without_a_version_flows_keep_the_classic_builder(site: Site, name: str) -> None:
    body = build(site, name)
    del body["version"]
    assert site.do("ImageBuild", body)["builder"] == "classic"


@success("ImageBuild")
def test_inputs_that_buildkit_overlooks_are_named(site: Site, name: str) -> None:
    if site.name == "podman":
        return
    built = site.do("ImageBuild", build(site, name, memory=100_000_000, shmsize=1 << 20))
    assert built["ignored"] == (["memory"] if site.at_least("1.42") else ["memory", "shmsize"])
    told = site.fails("ImageBuild", build(site, name, networkmode="shop"), "BadInput")
    assert "It is default, bridge, host or none" in told


@success("ImageBuild")
def test_quiet_builds_tell_steps_and_no_lines(site: Site, name: str) -> None:
    built = site.do("ImageBuild", build(site, name, "RUN echo hi", q=True))
    assert built["id"]
    if site.name != "podman":
        assert built["lines"] == []
        assert "RUN echo hi" in [step["name"] for step in built["steps"]]


@success("ImageBuild")
def test_the_cache_inside_an_image_serves_a_later_build(site: Site, name: str, able: Able) -> None:
    if site.name == "podman":
        return
    # With the containerd image store only registries are asked for a cache.
    pushed = f"{site.registry.address}/{name}"
    body = build(site, pushed, "ARG A", "RUN echo $A > /a", inlineCache=True, buildargs={"A": random_id()})
    site.do("ImageBuild", body)
    site.do("ImagePush", {"name": pushed.removesuffix(":1"), "tag": "1"})
    site.do("BuildPrune", {"all": True})
    steps = site.do("ImageBuild", {**body, "cachefrom": [pushed]})["steps"]
    assert [step["status"] for step in steps if step["name"].startswith("RUN")] == ["cached"]
    able("cache inside the image", seen=True)


@failure("ImageBuild")
def test_a_heredoc_is_for_buildkit(site: Site, name: str) -> None:
    if site.name == "podman":  # newer ones know heredocs by themselves
        return
    body = build(site, name, "RUN <<EOF", "touch /made", "EOF")
    if not site.at_least("1.42"):  # neither of its builders knows them
        assert "# syntax=docker/dockerfile:1" in site.fails(
            "ImageBuild", {**body, "version": "auto"}, "StreamFailed"
        )
        return
    assert site.do("ImageBuild", {**body, "version": "auto"})["builder"] == "buildkit"
    (warning,) = site.do("ImageBuild", {**body, "version": "1"})["warnings"]
    assert "runs nothing of a heredoc" in warning["text"]
    assert warning["line"] == 2


@failure("ImageBuild")
def test_mounts_are_for_buildkit(site: Site, name: str) -> None:
    if site.name == "podman":
        return
    body = {**build(site, name, mount("a", "true")), "version": "1"}
    assert "set version to auto or 2" in site.fails("ImageBuild", body, "StreamFailed", "Refused")


@failure("ImageBuild")
@pytest.mark.parametrize("version", ["1", "2"])
def test_squash_is_refused_where_the_image_store_cannot(site: Site, name: str, version: str) -> None:
    body = build(site, name, "RUN touch /a", squash=True, version=version)
    if site.containerd:
        told = site.fails("ImageBuild", body, "NotSupported")
        assert "containerd image store" in told
        assert site.engine.wire.ask("GET", f"/images/{name}/json").status == 404
    elif site.at_least("1.42"):
        assert site.do("ImageBuild", body)["ignored"] == (["squash"] if version == "2" else [])


@success("ImageBuild")
def test_secrets_of_the_credential_are_there_and_nobody_has_to_use_them(site: Site, name: str) -> None:
    if site.name == "podman":
        return
    value, other = f"hush-{random_id()}", f"hush-{random_id()}"
    kept = json.dumps({"token": value, "both": value, "spare": "hush-spare"})
    lines = [
        mount("token", "cat /run/secrets/token"),
        mount("both", f"cat /run/secrets/both; echo {random_id()}"),
    ]
    built = site.do("ImageBuild", build(site, name, *lines, secrets={"both": other}), buildSecrets=kept)
    assert (built["secretsMissing"], built["secretsUnused"]) == ([], [])
    told = json.dumps(built)
    assert value not in told
    assert other not in told
    assert sum("***" in line for line in built["lines"]) == 2
