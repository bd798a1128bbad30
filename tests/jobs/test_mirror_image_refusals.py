"""Mirror jobs that end in an error: the engine is left as it was, and what others use means what it meant."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import pytest

from lib.job.mirror.memo import MEMO, volume_of
from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.engines import config
from tests.jobs.mirrors import KEY, Mirrors, lab, plain
from tests.lab.registry import Registry
from tests.lab.registry_content import put_image, put_index, takes_no_manifest
from tests.lab.socket_proxy import POSTS, READS, SocketProxy

__all__ = ["lab"]
pytestmark = pytest.mark.engine
DIGEST = f"sha256:{'0' * 64}"


def test_it_fails_without_a_source(lab: Mirrors) -> None:
    source, target = lab.names()
    with lab.unchanged():
        for name in (source, f"{source.removesuffix(':1')}@{DIGEST}"):
            error = lab.refused(name, f"{target.removesuffix(':1')}:2")
            assert error["name"] == "NotFound"
            assert name in error["message"]


@pytest.mark.parametrize("password", [None, "wr0ng-w0rd"])
@pytest.mark.shows(KEY, "fails")
def test_a_wrong_login_changes_nothing_and_is_not_told(lab: Mirrors, password: str | None) -> None:
    source, target = lab.published(lab.locked)
    logins = (
        {"registries": {lab.locked.address: lab.locked.account | {"password": password}}} if password else {}
    )
    for names in ((source, target), (target, lab.names()[1])):
        with lab.unchanged():
            body = {"from": names[0], "to": names[1]}
            outcome = run_step(KEY, body, config(lab.engine, errorPolicy="emit", **logins))
        (found,) = outcome.bodies
        assert found["error"]["name"] == "Unauthorized", found
        assert lab.locked.address in found["error"]["message"]
        assert not password or password not in json.dumps(outcome.bodies) + "".join(outcome.log)
    assert lab.digest(target) == ""


@pytest.mark.shows(KEY, "fails")
def test_a_push_that_is_refused_leaves_the_engine_as_it_was(lab: Mirrors) -> None:
    source, target = lab.published()
    closed = Registry(lab.engine, read_only=True)
    try:
        with lab.unchanged():
            error = lab.refused(source, target.replace(lab.b.address, closed.address))
    finally:
        closed.close()
    assert error["name"] == "StreamFailed"


@pytest.mark.shows(KEY, "fails")
def test_a_registry_that_fails_in_the_middle_leaves_the_engine_as_it_was(lab: Mirrors) -> None:
    source, target = lab.published()
    repository = plain(target).partition(":")[0]
    with takes_no_manifest(lab.b, repository), lab.unchanged():
        error = lab.refused(source, target)
    assert error["name"] == "StreamFailed"
    assert lab.digest(target) == ""
    assert lab.mirror(source, target)["changed"]


def test_a_registry_that_fails_for_a_moment_is_asked_again(lab: Mirrors) -> None:
    source, target = lab.published()
    repository = plain(target).partition(":")[0]
    with ExitStack() as disk, SocketProxy(lab.engine.socket, ".*") as proxy:
        disk.enter_context(takes_no_manifest(lab.b, repository))
        pushes: list[str] = []

        def mended(call: str) -> None:
            if call.endswith("/push"):
                pushes.append(call)
                if len(pushes) > 1:
                    disk.close()

        proxy.before = mended
        body = {"from": source, "to": target}
        found = run_step(KEY, body, {"server": "2", "otherServer": proxy.url}).body
    assert (found["action"], found["changed"], len(pushes)) == ("mirrored", True, 2)
    assert [one["action"] for one in found["plan"]].count("push") == 1


@pytest.mark.shows(KEY, "fails")
def test_a_registry_that_is_away_leaves_the_engine_as_it_was(lab: Mirrors) -> None:
    source, target = lab.published()
    away = target.replace(lab.b.address, "127.0.0.1:1")
    for names in ((source, away), (away, source)):
        with lab.unchanged():
            error = lab.refused(*names)
        assert error["name"] == "EngineFault"
        assert "gets no answer from its registry" in error["message"]


@pytest.mark.shows(KEY, "fails")
def test_a_source_for_other_platforms_alone(lab: Mirrors) -> None:
    source, target = lab.names()
    put_index(lab.a, plain(source), ["ppc64le", "s390x"], mark=random_id())
    with lab.unchanged():
        error = lab.refused(source, target)
        assert error["name"] in ("StreamFailed", "NotFound")
        assert "linux/ppc64le, linux/s390x" in error["hint"]
        error = lab.refused(source, target, platform="linux/arm64")
        assert (error["name"], "linux/arm64" in error["message"]) == ("NotFound", True)
    assert lab.mirror(source, target, platform="linux/s390x")["platform"] == "linux/s390x"


def test_names_that_are_there_stay_and_mean_what_they_meant(lab: Mirrors) -> None:
    source, target = lab.published()
    old = lab.pull(source)
    user = lab.engine.create(Image=source)
    put_image(lab.a, plain(source), mark=random_id())
    try:
        with lab.unchanged():
            body = lab.mirror(source, target)
        image = lab.image(source)
        assert body["changed"]
        assert image is not None
        assert image["Id"] == old
    finally:
        lab.engine.remove(user)
        lab.engine.wire.do("DELETE", f"/images/{source}")


def test_an_image_that_was_there_by_its_digest_stays(lab: Mirrors) -> None:
    source, target = lab.published()
    pinned = f"{source.removesuffix(':1')}@{lab.digest(source)}"
    lab.pull(pinned)
    with lab.unchanged():
        body = lab.mirror(source, target)
    assert body["changed"]
    assert "pull" not in [one["action"] for one in body["plan"]]
    lab.engine.wire.do("DELETE", f"/images/{pinned}")


def test_a_digest_in_the_repository_of_the_target_stays(lab: Mirrors) -> None:
    """The last tag of a repository would take it along."""
    source, target = lab.published()
    first = lab.mirror(source, target)
    pinned = f"{target.removesuffix(':1')}@{first['digestTo']}"
    lab.pull(pinned)
    again = lab.mirror(source, f"{target.removesuffix(':1')}:2")
    assert lab.image(pinned) is not None
    assert "would forget a digest" in again["warnings"][0]
    for name in (f"{target.removesuffix(':1')}:2", pinned):
        lab.engine.wire.ask("DELETE", f"/images/{name}", force=True)


def test_an_image_without_a_name_stays(lab: Mirrors) -> None:
    """Its name went to a newer image; the digest that a pull gives to it must not take it along."""
    source, target = lab.published()
    image = lab.pull(source)
    digest = lab.digest(source)
    other = f"kept-{random_id()}:1"
    lab.engine.wire.do("POST", f"/images/{source}/tag", repo=other.partition(":")[0], tag="1")
    lab.engine.wire.do("DELETE", f"/images/{source}")
    lab.engine.import_image(other)  # which takes the last name away
    assert lab.image(image) is not None
    lab.mirror(f"{source}@{digest}", target)
    assert lab.image(image) is not None
    lab.engine.wire.do("DELETE", f"/images/{other}")
    lab.engine.wire.ask("DELETE", f"/images/{image}", force=True)


@pytest.mark.shows(KEY, "fails")
def test_a_name_of_the_engine_for_another_image_is_not_taken(lab: Mirrors) -> None:
    source, target = lab.published()
    lab.engine.import_image(target)
    user = lab.engine.create(Image=target, name=f"user-{random_id()}")
    try:
        for fields, hint in (({}, "cleanUp"), ({"cleanUp": False}, "push it")):
            before = lab.image(target)
            error = lab.refused(source, target, **fields)
            assert lab.image(target) == before
            assert error["name"] == "Conflict"
            assert hint in error["hint"]
        assert lab.digest(target) == ""
    finally:
        lab.engine.remove(user)
        lab.engine.wire.do("DELETE", f"/images/{target}")


def test_the_name_of_an_earlier_copy_moves_where_it_shall_stay(lab: Mirrors) -> None:
    source, target = lab.published()
    lab.mirror(source, target, cleanUp=False)
    put_image(lab.a, plain(source), mark=random_id())
    with lab.unchanged():
        assert lab.refused(source, target)["name"] == "Conflict"
    body = lab.mirror(source, target, cleanUp=False)
    image = lab.image(target)
    assert body["changed"]
    assert image is not None
    assert any(one.endswith(body["digestTo"]) for one in image["RepoDigests"])
    lab.engine.wire.do("DELETE", f"/images/{target}")


@pytest.mark.parametrize(
    ("forbidden", "left"),
    [
        ("POST /volumes/create", False),
        ("POST /images/create", False),
        (r"POST /images/.*/tag", False),
        (r"POST /images/.*/push", False),
        (r"GET /distribution/.*", False),
        (r"DELETE /images/.*", True),
    ],
)
@pytest.mark.shows(KEY, "fails")
def test_a_proxy_that_forbids_a_call(lab: Mirrors, forbidden: str, left: bool) -> None:
    source, target = lab.published()
    before = lab.state()
    with SocketProxy(lab.engine.socket, f"(?!{forbidden})({READS}|{POSTS})") as proxy:
        body = {"from": source, "to": target}
        address = {"server": "2", "otherServer": proxy.url, "errorPolicy": "emit"}
        found = run_step(KEY, body, address).body
        assert proxy.refused
    if left:
        assert (found["action"], len(found["warnings"])) == ("mirrored", 2)
        assert lab.digest(target) == found["digestTo"]
        for name in (target, f"{source.removesuffix(':1')}@{lab.digest(source)}"):
            lab.engine.wire.do("DELETE", f"/images/{name}")
    else:
        assert found["error"]["name"] == "Unauthorized"
        assert lab.digest(target) == ""
    assert lab.state() == before


@pytest.mark.parametrize("label", ["", "{}", "[]", "[1,2,3,4,5,6,7]", "[" * 5000, "null"])
def test_what_is_no_memo_is_no_order(lab: Mirrors, label: str) -> None:
    source, target = lab.published()
    volume = volume_of(target)
    lab.engine.wire.do("POST", "/volumes/create", {"Name": volume, "Labels": {MEMO: label}})
    try:
        with lab.unchanged():
            error = lab.refused(source, target)
        assert error["name"] == "EngineFault"
        assert volume in error["message"]
    finally:
        lab.engine.wire.do("DELETE", f"/volumes/{volume}")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"from": "https://a.example/x"}, "from"),
        ({"from": "a.example/X"}, "from"),
        ({"from": "a b"}, "from"),
        ({"from": "a.example/x@sha256:12"}, "from"),
        ({"from": "user:pa55word@a.example/x"}, "from"),
        ({"to": f"b.example/x@{DIGEST}"}, "to"),
        ({"to": "b.example/x:-"}, "to"),
        ({"from": "b.example/x:1"}, "to"),
        ({"from": "docker.io/library/nginx:1", "to": "nginx"}, "to"),
        ({"from": f"nginx@{DIGEST}", "to": "b.example/nginx"}, "to"),
        ({"platform": "linux"}, "platform"),
        ({"platform": "linux/../x"}, "platform"),
    ],
)
def test_wrong_input_names_the_field(lab: Mirrors, fields: dict[str, Any], field: str) -> None:
    body = {"from": "a.example/x:1", "to": "b.example/x:1", **fields}
    found = run_step(KEY, body, config(lab.engine, errorPolicy="emit")).body
    error = found["error"]
    assert (error["name"], error["field"]) == ("BadInput", field)
    assert "pa55word" not in json.dumps(found)
