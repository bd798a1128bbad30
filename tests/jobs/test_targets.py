"""Which containers a job works on, on real engines."""

from __future__ import annotations

from typing import Any

import pytest

from lib.credentials import open_engine
from lib.engine import Engine
from lib.engine.errors import BadInput, NotFound
from lib.job.targets import listed, targets_of
from tests.jobs.engines import config, own
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until

__all__ = ["own"]
SICK = {"Test": ["CMD", "false"], "Interval": 10**9, "Retries": 1}


@pytest.fixture(scope="module")
def street(own: LabEngine) -> Engine:
    """web-1 and web-2 of an image whose tag has moved on since, a sick one, and one that has ended."""
    own.import_image("registry.local/shop/web:1")
    web = {"Image": "registry.local/shop/web:1"}
    own.run(name="web-1", Labels={"app": "web", "tier": "front"}, **web)
    own.create(name="web-2", Labels={"app": "web"}, **web)
    own.import_image("registry.local/shop/web:1")  # other bytes: the times in it
    own.run(name="sick", Healthcheck=SICK, Labels={"com.docker.swarm.service.name": "shop_db"})
    own.wait(own.run(("true",), name="over"))

    def health() -> Any:
        return own.wire.do("GET", "/containers/sick/json").json()["State"]["Health"]["Status"]

    wait_until(lambda: health() == "unhealthy", "the check to fail")
    own.wire.do("POST", "/containers/sick/pause")
    return open_engine(config(own))


def names(engine: Engine, **selection: Any) -> list[str]:
    return [one.name for one in targets_of(engine, {"targets": selection})]


def test_all_that_agrees_is_taken_in_order(street: Engine) -> None:
    assert names(street, names=["*"]) == ["over", "sick", "web-1", "web-2"]
    assert names(street, names=["web-*", "over"]) == ["over", "web-1", "web-2"]
    assert names(street, names="web-*", labels=["tier"]) == ["web-1"]
    assert names(street, labels={"app": "web"}, status=["created"]) == ["web-2"]
    assert names(street, labels=["app=we"]) == []
    assert names(street, status=["exited", "paused"]) == ["over", "sick"]
    assert names(street, service="shop_*") == ["sick"]
    assert [one.name for one in targets_of(street, {"targets": '{"names": ["web-1"]}'})] == ["web-1"]


@pytest.mark.parametrize("image", ["registry.local/shop/web:1", "registry.local/shop/web", "*/web"])
def test_trap_11_an_image_is_found_after_its_tag_has_moved_on(street: Engine, image: str) -> None:
    assert [one.moved for one in listed(street) if one.name == "web-1"] == [True]
    assert names(street, images=[image]) == ["web-1", "web-2"]
    assert names(street, images=[image], names=["web-2", "over"]) == ["web-2"]


def test_the_health_of_what_is_paused_counts_on_every_version(street: Engine) -> None:
    assert names(street, health=["unhealthy"]) == ["sick"]
    assert names(street, health=["none"]) == ["over", "web-1", "web-2"]


def test_one_is_found_by_its_name_its_id_or_the_beginning_of_it(street: Engine) -> None:
    (web,) = targets_of(street, {"target": "web-1"})
    assert (web.name, web.status, web.image) == ("web-1", "running", "registry.local/shop/web:1")
    assert web.output == {"id": web.id, "name": "web-1"}
    for name in (web.id, web.id[:12]):
        assert [one.name for one in targets_of(street, {"target": name})] == ["web-1"]
        assert names(street, names=[name]) == ["web-1"]
    with pytest.raises(NotFound):
        targets_of(street, {"target": "web"})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"target": "a", "targets": {"names": ["b"]}},
        {"targets": {}},
        {"targets": {"names": []}},
        {"targets": "{}"},
        {"targets": "no JSON"},
        {"targets": "[]"},
        {"targets": {"names": ["*"], "lables": ["a"]}},
    ],
)
def test_a_selection_by_nothing_or_by_what_is_not_known_is_refused(
    street: Engine, fields: dict[str, Any]
) -> None:
    with pytest.raises(BadInput):
        targets_of(street, fields)
