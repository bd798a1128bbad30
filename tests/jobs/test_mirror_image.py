"""An image of one registry in another one, by way of real engines with both image stores."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.jobs.mirrors import Mirrors, lab, plain
from tests.lab.at_once import at_once
from tests.lab.registry_content import put_image, put_index

__all__ = ["lab"]
pytestmark = pytest.mark.engine
DRY = {"dryRun": True, "accessMode": "readOnly"}


def actions(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["action"], one["kind"]) for one in body["plan"]]


WHOLE = [
    ("create", "volume"),
    ("pull", "image"),
    ("tag", "image"),
    ("push", "image"),
    ("remove", "image"),
    ("remove", "image"),
    ("remove", "volume"),
]


def test_it_succeeds_and_leaves_the_engine_as_it_was(lab: Mirrors) -> None:
    source, target = lab.published()
    with lab.unchanged():
        body = lab.mirror(source, target)
    assert (body["action"], body["changed"], body["reached"]) == ("mirrored", True, True)
    assert (body["from"], body["to"]) == (source, target)
    assert body["digestFrom"] == lab.digest(source)
    assert body["digestTo"] == lab.digest(target) != ""
    assert body["digestBefore"] == ""
    assert body["identical"] == lab.containerd
    assert (body["platforms"], body["platform"]) == (["linux/amd64"], "linux/amd64")
    assert (body["bytes"] > 0) != lab.containerd
    assert body["warnings"] == []
    assert actions(body) == WHOLE


def test_the_copy_is_the_image(lab: Mirrors) -> None:
    source, target = lab.published()
    lab.mirror(source, target)
    with_source, with_target = lab.pull(source), lab.pull(target)
    assert with_source == with_target
    for name in (source, target):
        lab.engine.wire.do("DELETE", f"/images/{name}")


def test_an_image_that_an_engine_pushed_has_its_digest_everywhere(lab: Mirrors) -> None:
    name = f"app-{random_id()}:1"
    image = f"lab-{random_id()}:local"
    lab.engine.import_image(image)
    source = lab.a.push(lab.engine, name, image)
    for tag in (source, image):
        lab.engine.wire.do("DELETE", f"/images/{tag}")
    target = f"{lab.b.address}/{name}"
    with lab.unchanged():
        found = [lab.mirror(source, target) for _ in range(3)]
    assert [body["action"] for body in found] == ["mirrored", "none", "none"]
    assert [body["changed"] for body in found] == [True, False, False]
    assert [body["identical"] for body in found] == [True] * 3
    assert [body["plan"] for body in found[1:]] == [[], []]


def test_a_repeat_has_no_effect(lab: Mirrors) -> None:
    source, target = lab.published()
    first = lab.mirror(source, target)
    with lab.unchanged():
        again = lab.mirror(source, target)
    assert not again["changed"]
    assert again["digestTo"] == again["digestBefore"] == first["digestTo"] == lab.digest(target)
    # Where the engine wrote another manifest, only a push can tell that the registry has the image.
    assert again["action"] == ("none" if lab.containerd else "mirrored")


def test_a_repeat_is_reads_alone_where_the_image_stays(lab: Mirrors) -> None:
    source, target = lab.published()
    first = lab.mirror(source, target, cleanUp=False)
    assert first["changed"]
    assert actions(first) == [("pull", "image"), ("tag", "image"), ("push", "image")]
    again = lab.mirror(source, target, {"accessMode": "readOnly"}, cleanUp=False)
    assert (again["action"], again["changed"], again["plan"]) == ("none", False, [])
    assert lab.image(target) is not None
    lab.engine.wire.do("DELETE", f"/images/{target}")


def test_the_tag_moves_with_its_source(lab: Mirrors) -> None:
    source, target = lab.published()
    first = lab.mirror(source, target)
    put_image(lab.a, plain(source), mark=random_id())
    with lab.unchanged():
        body = lab.mirror(source, target)
    assert body["changed"]
    assert body["digestBefore"] == first["digestTo"] != body["digestTo"] == lab.digest(target)


def test_a_dry_run_is_the_plan_of_the_real_run(lab: Mirrors) -> None:
    source, target = lab.published()
    again = {"onlyIfDifferent": False}
    for fields in ({}, again, {"cleanUp": False, **again}, again):
        with lab.unchanged():
            dry = lab.mirror(source, target, DRY, **fields)
        assert (dry["changed"], dry["dryRun"]) == (False, True)
        real = lab.mirror(source, target, **fields)
        assert dry["plan"] == real["plan"]
        assert dry["action"] == real["action"]
    lab.engine.wire.do("DELETE", f"/images/{target}")


def test_read_only_compares_and_copies_nothing(lab: Mirrors) -> None:
    source, target = lab.published()
    with lab.unchanged():
        error = lab.refused(source, target, {"accessMode": "readOnly"})
    assert error["name"] == "ReadOnly"
    assert lab.digest(target) == ""


def test_without_a_tag_the_target_has_that_of_the_source(lab: Mirrors) -> None:
    source, target = lab.published()
    body = lab.mirror(source, target.removesuffix(":1"))
    assert body["to"] == target
    assert lab.digest(target) == body["digestTo"]


def test_a_digest_is_copied_whatever_the_tag_means_by_now(lab: Mirrors) -> None:
    source, target = lab.published()
    digest = lab.digest(source)
    put_image(lab.a, plain(source), mark=random_id())
    with lab.unchanged():
        body = lab.mirror(f"{source}@{digest}", target)
    assert body["digestFrom"] == digest
    assert body["from"] == f"{source.removesuffix(':1')}@{digest}"
    error = lab.refused(f"{source.removesuffix(':1')}@{digest}", target.removesuffix(":1"))
    assert (error["name"], error["field"]) == ("BadInput", "to")


def test_another_tag_of_the_same_repository(lab: Mirrors) -> None:
    source, _ = lab.published()
    target = source.removesuffix(":1") + ":stable"
    with lab.unchanged():
        body = lab.mirror(source, target)
    assert body["digestTo"] == lab.digest(target) != ""
    assert lab.digest(source) == body["digestFrom"]


@pytest.mark.parametrize("attested", [False, True])
@pytest.mark.parametrize("platform", ["", "linux/s390x"])
def test_of_several_platforms_one_is_copied(lab: Mirrors, platform: str, attested: bool) -> None:
    source, target = lab.names()
    put_index(lab.a, plain(source), ["amd64", "s390x"], mark=random_id(), attested=attested)
    fields = {"platform": platform} if platform else {}
    with lab.unchanged():
        body = lab.mirror(source, target, **fields)
        again = lab.mirror(source, target, **fields)
    assert body["platforms"] == ["linux/amd64", "linux/s390x"]
    assert body["platform"] == (platform or "linux/amd64")
    assert (body["identical"], body["changed"]) == (False, True)
    assert f"2 platforms; the engine pushes one of them, {body['platform']}" in body["warnings"][0]
    assert (again["digestTo"], again["changed"]) == (body["digestTo"], False)
    told = lab.engine.wire.do("GET", f"/distribution/{target}/json").json()
    assert [one["architecture"] for one in told["Platforms"]] == [body["platform"].partition("/")[2]]


def test_of_several_platforms_none_if_that_is_wanted(lab: Mirrors) -> None:
    source, target = lab.names()
    put_index(lab.a, plain(source), ["amd64", "s390x"], mark=random_id())
    body = lab.mirror(source, target, onlyIfSinglePlatform=True)
    assert (body["action"], body["plan"], body["digestTo"]) == ("none", [], "")
    assert "2 platforms" in body["warnings"][0]
    put_index(lab.a, plain(source), ["amd64"], mark=random_id(), attested=True)
    assert lab.mirror(source, target, onlyIfSinglePlatform=True)["action"] == "mirrored"


@pytest.mark.parametrize("listed", [False, True])
def test_an_image_for_another_platform_alone_is_copied(lab: Mirrors, listed: bool) -> None:
    source, target = lab.names()
    if listed:
        put_index(lab.a, plain(source), ["s390x"], mark=random_id())
    else:
        put_image(lab.a, plain(source), mark=random_id(), architecture="s390x")
    with lab.unchanged():
        body = lab.mirror(source, target)
    assert body["platform"] == "linux/s390x"
    assert lab.digest(target) == body["digestTo"] != ""


def test_a_registry_with_a_login(lab: Mirrors) -> None:
    source, target = lab.published(lab.locked)
    logins = {"registries": {lab.locked.address: lab.locked.account}}
    with lab.unchanged():
        body = lab.mirror(source, target, logins)
        assert lab.digest(target) == body["digestTo"] != ""
        back = lab.names()[1]
        assert lab.mirror(target, back, logins)["changed"]
    assert lab.digest(back) != ""


def test_two_at_once_copy_the_same(lab: Mirrors) -> None:
    source, target = lab.published()
    key = {"idempotencyKey": random_id()}
    with lab.unchanged():
        found = at_once(*[lambda: lab.mirror(source, target, **key)] * 2)
    assert {body["digestTo"] for body in found} == {lab.digest(target)}


def test_two_messages_at_once_wait_for_each_other(lab: Mirrors) -> None:
    names = [lab.published() for _ in range(2)]
    target = names[0][1]
    with lab.unchanged():
        found = at_once(*[partial(lab.mirror, source, target) for source, _ in names])
    assert lab.digest(target) in {body["digestTo"] for body in found}
