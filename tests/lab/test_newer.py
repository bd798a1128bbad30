from __future__ import annotations

from tests.lab.newer import NewerEngines
from tests.lab.podman import PodmanService


def test_the_engine_of_trixie_runs_a_container(newer_engines: NewerEngines) -> None:
    engine = newer_engines.engine("trixie")
    container = engine.run(["true"])
    assert engine.wait(container) == 0
    assert (engine.version, engine.api) >= ("26.1", "1.45")
    engine.remove(container)


def test_an_engine_refuses_versions_below_a_raised_minimum(newer_engines: NewerEngines) -> None:
    engine = newer_engines.engine("sid", minimum="1.44")
    assert engine.minimum_api == "1.44"
    assert engine.wire.ask("GET", "/v1.33/_ping").status == 400


def test_an_engine_keeps_images_in_containerd(newer_engines: NewerEngines) -> None:
    engine = newer_engines.engine("sid", image_store=True)
    assert engine.wire.do("GET", "/info").json()["Driver"] == "overlayfs"


def test_podman_runs_a_container(podman_service: PodmanService) -> None:
    body = {"Image": podman_service.image, "Cmd": ["sh", "-c", "exit 4"]}
    container = podman_service.wire.do("POST", "/containers/create", body).json()["Id"]
    podman_service.wire.do("POST", f"/containers/{container}/start")
    assert podman_service.wire.do("POST", f"/containers/{container}/wait").json()["StatusCode"] == 4
    podman_service.wire.do("DELETE", f"/containers/{container}")
