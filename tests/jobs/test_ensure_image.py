"""An image that a name shall mean, on real engines with both stores, and a registry beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from lib.sailor.message.ids import random_id
from tests.actions.stepping import forget_engines, run_step
from tests.jobs.engines import BOTH, begin, config
from tests.lab.at_once import at_once
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.newer import NewerEngineError, binaries
from tests.lab.registry import Registry, RegistryError
from tests.lab.skipping import missing, skip_anywhere

pytestmark = pytest.mark.engine
KEY = "EnsureImage"
CONTAINERD = "28.5-containerd"


@pytest.fixture(scope="module", params=(*BOTH, CONTAINERD))
def own(request: Any) -> Iterator[LabEngine]:
    engine = begin(request.param) if request.param in BOTH else _containerd()
    yield engine
    forget_engines()
    engine.close()


def _containerd() -> LabEngine:
    try:
        daemon = {"features": {"containerd-snapshotter": True}}
        return LabEngine.begin(binaries=str(binaries("sid")), daemon=daemon)
    except (NewerEngineError, PrivateEngineError, LocalImageError) as problem:
        skip_anywhere(str(problem))


@pytest.fixture(scope="module")
def shelf(own: LabEngine) -> Iterator[Registry]:
    """A registry beside the engine."""
    try:
        registry = Registry(own)
    except RegistryError as problem:
        missing(str(problem))
    yield registry
    registry.close()


@pytest.fixture
def name(own: LabEngine, shelf: Registry) -> str:
    """The full name of an image that the registry has and the engine has not."""
    return publish(own, shelf, f"app-{random_id()}:1")


def publish(engine: LabEngine, shelf: Registry, name: str) -> str:
    """Push another image under a name, and take all of it from the engine again."""
    image = f"lab-{random_id()}:local"
    engine.import_image(image)
    identity = engine.wire.do("GET", f"/images/{image}/json").json()["Id"]
    before = engine.wire.ask("GET", f"/images/{shelf.address}/{name}/json")
    full = shelf.push(engine, name, image)
    for tag in (full, image):
        engine.wire.do("DELETE", f"/images/{tag}")
    assert engine.wire.ask("GET", f"/images/{identity}/json").status == 404
    if before.status == 200:  # the name means on the engine what it meant
        old = before.json()["Id"]
        engine.wire.do(
            "POST", f"/images/{old}/tag", repo=full.rpartition(":")[0], tag=full.rpartition(":")[2]
        )
    return full


def ensure(
    engine: LabEngine, name: str, settings: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """The output of the job."""
    body = run_step(KEY, {"reference": name, **fields}, config(engine, **(settings or {}))).body
    assert isinstance(body, dict)
    return body


def refused(engine: LabEngine, name: str, **fields: Any) -> dict[str, Any]:
    """The error of the job, as a message."""
    return ensure(engine, name, {"errorPolicy": "emit"}, **fields)["error"]  # type: ignore[no-any-return]


def is_there(engine: LabEngine, name: str) -> bool:
    return engine.wire.ask("GET", f"/images/{name}/json").status == 200


@pytest.mark.parametrize("policy", ["missing", "newer", "always"])
@pytest.mark.shows("EnsureImage", "succeeds", "repeat")
def test_three_times_in_a_row_change_once(own: LabEngine, name: str, policy: str) -> None:
    found = [ensure(own, name, policy=policy) for _ in range(3)]
    assert [body["changed"] for body in found] == [True, False, False]
    pulls = policy == "always"
    assert [body["pulled"] for body in found] == [True, pulls, pulls]
    assert [body["action"] for body in found] == ["pulled", *["pulled" if pulls else "none"] * 2]
    assert found[0]["digest"].startswith("sha256:")
    assert found[0]["digest"] == found[2]["digest"] == found[2]["digestBefore"]
    assert found[0]["digestBefore"] == ""
    assert found[2]["platform"].startswith("linux/")
    assert found[2]["size"] > 0
    assert found[2]["warnings"] == []


@pytest.mark.parametrize(("policy", "changed"), [("missing", False), ("newer", True), ("always", True)])
def test_a_newer_image_is_fetched_by_those_that_ask_for_it(
    own: LabEngine, shelf: Registry, name: str, policy: str, changed: bool
) -> None:
    first = ensure(own, name)
    user = own.create(Image=name, name=f"user-{random_id()}")
    other = own.create()
    try:
        publish(own, shelf, name.partition("/")[2])
        found = [ensure(own, name, policy=policy) for _ in range(3)]
        assert [body["changed"] for body in found] == [changed, False, False]
        assert found[0]["digestBefore"] == first["digest"]
        assert (found[0]["digest"] != first["digest"]) == changed
        # Also when the message comes again: who redeploys them must not miss any.
        assert [[one["id"] for one in body["usedBy"]] for body in found] == [[user] if changed else []] * 3
    finally:
        own.remove(user)
        own.remove(other)


def test_trap_11_a_list_shows_a_bare_id_once_the_tag_has_moved(
    own: LabEngine, shelf: Registry, name: str
) -> None:
    ensure(own, name)
    user = own.create(Image=name)
    try:
        publish(own, shelf, name.partition("/")[2])
        ensure(own, name, policy="newer")
        listed = own.wire.do("GET", "/containers/json", all=True).json()
        assert next(one["Image"] for one in listed if one["Id"] == user).startswith("sha256:")
        found = own.wire.do("GET", "/containers/json", all=True, filters={"ancestor": [name]}).json()
        assert found == []
        assert [one["id"] for one in ensure(own, name)["usedBy"]] == [user]
    finally:
        own.remove(user)


def test_a_pull_that_takes_too_long_is_gone_on_with_later(own: LabEngine, name: str) -> None:
    short = {"maxSeconds": "0.001"}
    outcome = run_step(KEY, {"reference": name}, config(own, **short))
    assert (outcome.bodies, len(outcome.rebounds)) == ([], 1)
    error = ensure(own, f"{name}", {**short, "whenTimeIsUp": "fail", "errorPolicy": "emit"}, policy="always")[
        "error"
    ]
    assert error["name"] == "NotReached"
    assert ensure(own, name, {**short, "whenTimeIsUp": "emit"}, policy="always")["reached"] is False
    assert ensure(own, name)["reached"] is True


def test_a_pull_that_breaks_off_comes_again(own: LabEngine, name: str) -> None:
    proxy = FaultyProxy(own.socket)
    try:
        proxy.answers.cut_after(300, asked=b"/images/create", once=True)
        address = {"server": "2", "otherServer": f"http://{proxy.host}:{proxy.port}"}
        outcome = run_step(KEY, {"reference": name}, address)
        assert (outcome.bodies, outcome.errors, len(outcome.rebounds)) == ([], [], 1)
        body = run_step(KEY, {"reference": name}, address).body
        assert body["id"] == own.wire.do("GET", f"/images/{name}/json").json()["Id"]
    finally:
        proxy.close()


def test_never_fetches_nothing(own: LabEngine, name: str) -> None:
    assert refused(own, name, policy="never")["name"] == "NotFound"
    assert not is_there(own, name)
    assert ensure(own, IMAGE, policy="never")["action"] == "none"


def test_an_id_is_found_and_never_fetched(own: LabEngine) -> None:
    identity = own.wire.do("GET", f"/images/{IMAGE}/json").json()["Id"]
    assert ensure(own, identity, policy="always")["id"] == identity
    assert refused(own, f"sha256:{'0' * 64}", policy="always")["name"] == "NotFound"


def test_a_digest_is_fetched_once(own: LabEngine, name: str) -> None:
    digest = ensure(own, name)["digest"]
    pinned = f"{name.rpartition(':')[0]}@{digest}"
    own.wire.do("DELETE", f"/images/{name}")
    found = [ensure(own, pinned, policy="newer") for _ in range(3)]
    assert found[0]["digest"] == digest
    assert {body["id"] for body in found} == {found[0]["id"]}
    assert [body["pulled"] for body in found[1:]] == [False, False]


def test_no_tag_means_latest(own: LabEngine, shelf: Registry) -> None:
    repository = f"app-{random_id()}"
    publish(own, shelf, f"{repository}:latest")
    other = publish(own, shelf, f"{repository}:other")
    assert ensure(own, f"{shelf.address}/{repository}")["changed"]
    assert is_there(own, f"{shelf.address}/{repository}:latest")
    assert not is_there(own, other)


def test_an_image_that_is_there_is_kept_where_the_registry_cannot_be_asked(
    own: LabEngine, shelf: Registry
) -> None:
    gone = f"{shelf.address}/never-{random_id()}:1"
    own.import_image(gone)
    body = ensure(own, gone, policy="newer")
    assert (body["action"], body["changed"], body["notChecked"]) == ("none", False, True)
    assert gone in body["warnings"][0]
    error = refused(own, gone, policy="newer", whenRegistryFails="fail")
    assert error["name"] in ("NotFound", "Unauthorized", "EngineFault")


@pytest.mark.shows("EnsureImage", "fails")
def test_what_the_registry_has_not_is_an_error(own: LabEngine, shelf: Registry) -> None:
    error = refused(own, f"{shelf.address}/never-{random_id()}:1")
    assert error["name"] in ("NotFound", "StreamFailed", "Unauthorized")


def test_an_image_for_another_platform_is_fetched(own: LabEngine, name: str) -> None:
    present = ensure(own, name)["platform"]
    assert ensure(own, name, platform=present)["action"] == "none"
    dry = ensure(own, name, {"dryRun": True}, platform="linux/s390x")
    assert [one["action"] for one in dry["plan"]] == ["pull"]
    assert refused(own, name, platform="linux/s390x", policy="never")["name"] == "NotFound"


def _unused(own: LabEngine, name: str) -> None:
    """Nothing else holds the image."""


def _tagged(own: LabEngine, name: str) -> None:
    own.wire.do("POST", f"/images/{name}/tag", repo=f"kept-{random_id()}", tag="1")


def _used(own: LabEngine, name: str) -> None:
    own.create(Image=name)


@pytest.mark.parametrize(("hold", "removed"), [(_unused, True), (_tagged, False), (_used, False)])
def test_the_old_image_is_removed_if_nothing_else_holds_it(
    own: LabEngine, shelf: Registry, name: str, hold: Callable[[LabEngine, str], None], removed: bool
) -> None:
    old = ensure(own, name)["id"]
    hold(own, name)
    publish(own, shelf, name.partition("/")[2])
    wish = {"policy": "newer", "removeOld": True}
    dry = ensure(own, name, {"dryRun": True, "accessMode": "readOnly"}, **wish)
    body = ensure(own, name, **wish)
    assert body["changed"]
    assert [one["action"] for one in body["plan"]] == ["pull", *["remove"] * removed]
    assert body["plan"] == dry["plan"]
    assert is_there(own, old) != removed
    assert is_there(own, name)


def test_a_dry_run_changes_nothing_and_tells_what_a_real_run_does(
    own: LabEngine, shelf: Registry, name: str
) -> None:
    dry = {"dryRun": True, "accessMode": "readOnly"}
    first = ensure(own, name, dry)
    assert (first["changed"], first["dryRun"], first["id"]) == (False, True, "")
    assert not is_there(own, name)
    assert ensure(own, name)["plan"] == first["plan"]
    assert ensure(own, name, dry)["plan"] == []
    publish(own, shelf, name.partition("/")[2])
    for policy in ("newer", "always"):
        planned = ensure(own, name, dry, policy=policy)
        assert (planned["changed"], planned["pulled"]) == (False, False)
        assert ensure(own, name, policy=policy)["plan"] == planned["plan"]


def test_a_read_only_credential_finds_an_image_and_fetches_none(own: LabEngine, name: str) -> None:
    reading = {"accessMode": "readOnly", "errorPolicy": "emit"}
    assert ensure(own, name, reading)["error"]["name"] == "ReadOnly"
    assert not is_there(own, name)
    assert ensure(own, IMAGE, reading)["action"] == "none"


def test_two_at_once_have_the_same_image(own: LabEngine, name: str) -> None:
    found = at_once(*[lambda: ensure(own, name)] * 2)
    assert len({body["id"] for body in found}) == 1
    assert not ensure(own, name)["changed"]
