"""Images on the engine: what there is, names, history."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.proving import Body, Make, Names, refusals, success
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine


@pytest.fixture
def name(site: Site) -> Iterator[str]:
    """A name for an image that the test makes."""
    name = f"lab/{random_id()}"
    yield f"{name}:1.10"
    site.engine.wire.ask("DELETE", f"/images/{name}:1.10", force="true")


@success("ImageList")
def test_the_image_is_listed(site: Site) -> None:
    image = site.engine.image
    body = {"all": False, "digests": True, "filters": {"reference": [image]}}
    results = site.do("ImageList", body)["results"]
    assert [entry["Id"] for entry in results] == [site.do("ImageInspect", {"name": image})["Id"]]


@success("ImageInspect", "ImageHistory")
def test_the_image_is_looked_at(site: Site) -> None:
    image = site.engine.image
    assert site.do("ImageInspect", {"name": image})["Id"]
    assert site.do("ImageHistory", {"name": image})["results"]


@success("ImageTag", "ImageDelete")
def test_an_image_gets_a_name_and_loses_it(site: Site, name: str) -> None:
    repo, _, tag = name.partition(":")
    assert site.do("ImageTag", {"name": site.engine.image, "repo": repo, "tag": tag}) == {}
    results = site.do("ImageDelete", {"name": name})["results"]
    assert any(name in str(result.get("Untagged")) for result in results)
    site.fails("ImageInspect", {"name": name}, "NotFound")


@success("ImageCommit")
def test_a_container_becomes_an_image(site: Site, ended: Make, name: str) -> None:
    repo, _, tag = name.partition(":")
    body = {
        "container": ended("touch", "/tmp/kept"),
        "repo": repo,
        "tag": tag,
        "comment": "as it was",
        "changes": "ENV A=b",
        "requestBody": {"Labels": {"case": "commit"}},
    }
    made = site.do("ImageCommit", body)["Id"]
    found = site.do("ImageInspect", {"name": made})
    assert "A=b" in found["Config"]["Env"]


@success("ImagePrune")
def test_unused_images_with_a_label_are_pruned(site: Site, ended: Make) -> None:
    body = {"container": ended("true"), "requestBody": {"Labels": {"case": "prune"}}}
    made = site.do("ImageCommit", {**body, "repo": "lab/pruned", "changes": ["LABEL case=prune"]})["Id"]
    site.engine.wire.do("DELETE", f"/containers/{body['container']}", force="true")
    pruned = site.do("ImagePrune", {"filters": {"dangling": ["false"], "label": ["case=prune"]}})
    assert pruned["ImagesDeleted"]
    site.fails("ImageInspect", {"name": made}, "NotFound")


@success("BuildPrune")
def test_the_build_cache_is_pruned(site: Site) -> None:
    assert site.do("BuildPrune", {"all": True})["SpaceReclaimed"] >= 0


@refusals(
    ImageList=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
    ImageInspect=({"name": "nothing/here:1"}, "NotFound"),
    ImageHistory=({"name": "nothing/here:1"}, "NotFound"),
    ImageTag=({"name": "nothing/here:1", "repo": "other"}, "NotFound"),
    ImageDelete=({"name": "nothing/here:1"}, "NotFound"),
    ImageCommit=({"container": "nothing"}, "NotFound"),
    ImagePrune=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
    BuildPrune=({"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault"),
)
def test_what_cannot_be_done(site: Site, key: str, body: Body, names: Names) -> None:
    site.fails(key, body, *names)
