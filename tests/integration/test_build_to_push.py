"""The example flow from a Dockerfile to the registry, on a real engine and a registry with password."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.lab.engine import LabEngine
from tests.lab.registry import Registry
from tests.local.running import ROOT, run

pytestmark = pytest.mark.engine

EXAMPLE = ROOT / "examples" / "flows" / "build-to-push.json"


def test_an_image_is_built_used_changed_and_pushed(
    engine_lab: LabEngine, secured_registry: Registry, tmp_path: Path
) -> None:
    flow = json.loads(EXAMPLE.read_text("utf-8"))
    flow["variables"] = {"base": engine_lab.image, "registry": secured_registry.address}
    file = tmp_path / "flow.json"
    file.write_text(json.dumps(flow))
    logins = {
        secured_registry.address: {"username": secured_registry.user, "password": secured_registry.password}
    }
    images = engine_lab.wire.do("GET", "/images/json", all=True).json()

    ended = run(
        *("flow", file, "--json", "--times", "1", "--engine", engine_lab.url, "--data", tmp_path / "data"),
        *("--config", json.dumps({"registries": logins})),
        component=None,
    )

    assert ended.code == 0, ended.err
    said = {line["step"]: line["message"] for line in ended.emissions if line["event"] == "data"}
    assert list(said) == [node["id"] for node in flow["nodes"]]
    assert said["execute"]["body"]["stdout"] == "built\nAND CHANGED"
    assert said["execute"]["body"]["exitCode"] == 0
    assert [line["text"] for line in said["logs"]["body"]["results"]] == ["ready"]
    assert taken(said["take"]["body"]["attachment"]["url"]) == "AND CHANGED"
    assert said["push"]["body"]["digest"].startswith("sha256:")
    assert secured_registry.tags("lab/build-to-push") == ["1"]
    assert secured_registry.password not in ended.out + ended.err
    left = engine_lab.wire.do(
        "GET", "/containers/json", all=True, filters={"label": ["made-by=build-to-push"]}
    )
    assert left.json() == []
    assert len(engine_lab.wire.do("GET", "/images/json", all=True).json()) == len(images)


def taken(url: str) -> str:
    with tarfile.open(urlsplit(url).path) as archive:
        found = archive.extractfile("said")
        assert found is not None
        return io.TextIOWrapper(found).read()
