"""The recipes for images of registries, run as the others are."""

from __future__ import annotations

from typing import Any

import pytest

from lib.local.flow.flowfile import read_flow
from tests.integration.recipes.kitchen import FLOWS, Kitchen
from tests.lab.registry import Registry
from tests.lab.registry_content import digest_of, put_image

pytestmark = pytest.mark.engine

WELL = {"Test": ["CMD", "true"], "Interval": 1_000_000_000}


@pytest.fixture
def web(kitchen: Kitchen, recipe_registry: Registry) -> str:
    """The full name of an image of the registry, with one container that follows it and one that does not."""
    reference = recipe_registry.push(kitchen.engine, "shop/web:stable")
    kitchen.engine.wire.do("POST", "/images/create", fromImage=reference)
    kitchen.engine.run(name="front", Image=reference, Labels={"auto-update": "true"}, Healthcheck=WELL)
    kitchen.engine.run(name="pinned", Image=reference, Healthcheck=WELL)
    return reference


def watching(reference: str) -> dict[str, dict[str, Any]]:
    return {"watch": {"references": reference, "minutes": "0"}}


def test_redeploy_updated_replaces_those_that_want_it(
    kitchen: Kitchen, recipe_registry: Registry, web: str
) -> None:
    def updated() -> None:
        kitchen.engine.import_image("newer:1")
        kitchen.engine.wire.do("POST", "/images/newer:1/tag", repo=web.rpartition(":")[0], tag="stable")
        recipe_registry.push(kitchen.engine, "shop/web:stable", "newer:1")

    before = {name: kitchen.ask(f"/containers/{name}/json")["Image"] for name in ("front", "pinned")}
    said = kitchen.reported("redeploy-updated", updated, steps=watching(web))

    after = {name: kitchen.ask(f"/containers/{name}/json")["Image"] for name in ("front", "pinned")}
    assert after == {"front": kitchen.ask("/images/newer:1/json")["Id"], "pinned": before["pinned"]}
    assert kitchen.states() == {"front": "running", "pinned": "running"}
    assert f"container: front\naction: redeployed\nimage: {web}\n" in said
    assert f"digest: {digest_of(recipe_registry, 'shop/web:stable')}\n" in said


def test_redeploy_updated_brings_the_old_one_back(
    kitchen: Kitchen, recipe_registry: Registry, web: str
) -> None:
    before = kitchen.ask("/containers/front/json")["Id"]

    # an image without any program
    said = kitchen.reported(
        "redeploy-updated",
        lambda: put_image(recipe_registry, "shop/web:stable", mark="empty"),
        steps=watching(web),
    )

    assert "container: front\naction: rolledBack\n" in said
    assert kitchen.ask("/containers/front/json")["Id"] == before
    assert kitchen.states()["front"] == "running"


def test_registry_mirror_copies_what_it_has_not(
    kitchen: Kitchen, recipe_registry: Registry, web: str
) -> None:
    mirror = f"{recipe_registry.address}/mirror"

    first, again = (kitchen.report("registry-mirror", steps=watching(web), mirror=mirror) for _ in range(2))

    digest = digest_of(recipe_registry, "shop/web:stable")
    assert digest_of(recipe_registry, "mirror/shop/web:stable") == digest
    assert f"from: {web}\nto: {mirror}/shop/web:stable\naction: mirrored\ndigest: {digest}\n" in first
    assert "action: none\n" in again


@pytest.mark.parametrize(
    ("reference", "registry", "copy"),
    [
        ("nginx:1.27", "docker.io", "nginx:1.27"),
        ("shop/web:2", "docker.io", "shop/web:2"),
        ("registry.example.org/shop/web:1", "registry.example.org", "shop/web:1"),
    ],
)
def test_registry_mirror_keeps_the_whole_name_but_for_the_registry(
    reference: str, registry: str, copy: str
) -> None:
    flow = read_flow(FLOWS / "registry-mirror.json", frozenset({"imageUpdated"}), frozenset({"MirrorImage"}))
    (edge,) = flow.edges["watch"]
    assert edge.mapper

    body = edge.mapper({"body": {"kind": "updated", "reference": reference, "registry": registry}})

    assert body == {"from": reference, "to": f"mirror.example.org/hub/{copy}"}
