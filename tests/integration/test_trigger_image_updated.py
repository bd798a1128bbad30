"""The trigger imageUpdated with real registries, and one that refuses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lib.engine.errors import BadInput
from tests.integration.trigger_lab import desk, engines_closed
from tests.lab.engine import LabEngine
from tests.lab.netns import listen_inside
from tests.lab.registry import Registry
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.table import record

__all__ = ["engines_closed"]
pytestmark = pytest.mark.engine
KEY = "imageUpdated"


def other_image(engine: LabEngine, mark: str) -> str:
    """An image with another digest."""
    container = engine.create(["true"])
    engine.wire.do(
        "POST", "/commit", {"Labels": {"mark": mark}}, container=container, repo="changed", tag=mark
    )
    engine.remove(container)
    return f"changed:{mark}"


def note(step: PollHarness, engine: LabEngine, situation: str, truth: list[str]) -> None:
    """A row of the table, with the references that got another digest."""
    told = step.told(lambda body: body["reference"])
    record(KEY, engine.version, situation, told=told, truth=truth, gap=step.gap)


def reasons(emitted: Emitted) -> list[str]:
    return [body["reason"] for body in emitted.of("warning")]


def test_a_new_digest_is_told_once(engine_lab: LabEngine, registry: Registry) -> None:
    reference = registry.push(engine_lab, "shop/web:stable")
    step = desk("image_updated", engine_lab, references=reference, minutes="0")
    assert step.poll().bodies == []
    assert step.poll().bodies == []
    registry.push(engine_lab, "shop/web:stable", other_image(engine_lab, "two"))
    emitted = step.poll()
    (body,) = emitted.of("updated")
    assert (body["reference"], body["registry"], body["digest"][:7]) == (
        reference,
        registry.address,
        "sha256:",
    )
    assert len(body["previous"]) == 16
    step.replay()
    assert step.poll().bodies == []
    note(step, engine_lab, "new digest in a registry", [reference])


def test_a_kill_before_the_snapshot_repeats_with_an_equal_id(
    engine_lab: LabEngine, registry: Registry
) -> None:
    reference = registry.push(engine_lab, "shop/killed:1")
    step = desk("image_updated", engine_lab, references=reference, minutes="0")
    step.poll()
    registry.push(engine_lab, "shop/killed:1", other_image(engine_lab, "three"))
    first = step.poll(dies_after=1)
    assert step.poll().ids == first.ids
    note(step, engine_lab, "killed between emission and snapshot", [reference])


def test_fault_9_19_the_engines_own_image_can_be_the_measure(
    engine_lab: LabEngine, registry: Registry
) -> None:
    """Fault 9.19: what the engine does not have is not told; what it has in another version is, once."""
    reference = registry.push(engine_lab, "shop/local:1")
    step = desk("image_updated", engine_lab, references=reference, minutes="0", compare="local")
    assert step.poll().bodies == []
    newer = other_image(engine_lab, "four")
    own = engine_lab.wire.do("GET", f"/images/{reference}/json").json()["Id"]
    registry.push(engine_lab, "shop/local:1", newer)
    engine_lab.wire.do("DELETE", f"/images/{reference}")
    assert step.poll().bodies == []
    engine_lab.wire.do("POST", f"/images/{own}/tag", repo=reference.rpartition(":")[0], tag="1")
    emitted = step.poll()
    assert [(body["reference"], body["localOutdated"]) for body in emitted.bodies] == [(reference, True)]
    step.replay()
    assert step.poll().bodies == []
    note(step, engine_lab, "9.19 the engine's own image is the measure", [reference])


def test_a_missing_login_is_told_once_and_a_login_mends_it(
    engine_lab: LabEngine, secured_registry: Registry
) -> None:
    reference = secured_registry.push(engine_lab, "secret/web:1")
    step = desk("image_updated", engine_lab, references=reference, minutes="0")
    assert reasons(step.poll()) == ["unauthorized"]
    assert step.poll().bodies == []
    login = {"username": secured_registry.user, "password": secured_registry.password}
    logins = json.dumps({secured_registry.address: login})
    assert step.poll(registries=logins).bodies == []
    secured_registry.push(engine_lab, "secret/web:1", other_image(engine_lab, "five"))
    assert len(step.poll(registries=logins).of("updated")) == 1
    assert secured_registry.password not in json.dumps(step.snapshot)
    step.replay()
    note(step, engine_lab, "registry 401, then a login", [reference])


def test_a_reference_that_does_not_exist_is_told_once_until_it_does(
    engine_lab: LabEngine, registry: Registry
) -> None:
    reference = f"{registry.address}/shop/later:1"
    step = desk("image_updated", engine_lab, references=reference, minutes="0")
    assert reasons(step.poll()) == ["notFound"]
    assert step.poll().bodies == []
    registry.push(engine_lab, "shop/later:1")
    assert step.poll().bodies == []
    registry.push(engine_lab, "shop/later:1", other_image(engine_lab, "six"))
    assert len(step.poll().of("updated")) == 1
    step.replay()
    note(step, engine_lab, "registry 404", [reference])


class Refusing(BaseHTTPRequestHandler):
    """A registry that has had enough."""

    asked = 0

    def do_GET(self) -> None:
        self._refuse()

    def do_HEAD(self) -> None:
        self._refuse()

    def _refuse(self) -> None:
        ping = self.path == "/v2/"
        type(self).asked += not ping
        body = (
            b"{}"
            if ping
            else b'{"errors":[{"code":"TOOMANYREQUESTS","message":"toomanyrequests: slow down"}]}'
        )
        self.send_response(200 if ping else 429)
        self.send_header("Content-Type", "application/json")
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def refusing(engine_lab: LabEngine) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing, bind_and_activate=False)
    server.socket.close()
    server.socket = listen_inside(engine_lab.namespace)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"127.0.0.1:{server.socket.getsockname()[1]}"
    server.shutdown()
    server.server_close()


def test_a_registry_that_refuses_is_left_alone_and_others_go_on(
    engine_lab: LabEngine, registry: Registry, refusing: str
) -> None:
    good = registry.push(engine_lab, "shop/good:1")
    references = f"{refusing}/a/one:1, {refusing}/a/two:1, {good}"
    step = desk("image_updated", engine_lab, references=references, minutes="0")
    assert reasons(step.poll()) == ["rateLimited"]
    asked = Refusing.asked
    registry.push(engine_lab, "shop/good:1", other_image(engine_lab, "seven"))
    emitted = step.poll()
    assert (len(emitted.of("updated")), reasons(emitted), Refusing.asked) == (1, [], asked)
    step.replay()
    note(step, engine_lab, "registry 429, another goes on", [good])


def test_docker_hub_is_asked_once_an_hour_by_default(engine_lab: LabEngine, registry: Registry) -> None:
    reference = registry.push(engine_lab, "shop/rare:1")
    step = desk("image_updated", engine_lab, references=reference)
    step.poll()
    registry.push(engine_lab, "shop/rare:1", other_image(engine_lab, "eight"))
    assert step.poll().bodies == []
    assert len(step.poll(minutes="0").bodies) == 1


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "references: name at least one image"),
        ({"references": "nginx@sha256:" + "a" * 64}, "is pinned to a digest and can never change"),
        ({"references": "nginx", "minutes": "often"}, "minutes .*: 'often' is no number"),
    ],
)
def test_a_wrong_field_is_named(engine_lab: LabEngine, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(BadInput, match=text):
        desk("image_updated", engine_lab, **fields).poll()


def test_a_try_out_gives_a_sample(
    engine_lab: LabEngine, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = registry.push(engine_lab, "shop/sample:1")
    monkeypatch.setenv("ELASTICIO_FLOW_TYPE", "debug")
    emitted = desk("image_updated", engine_lab, references=reference).poll()
    assert [(body["reference"], body["sample"]) for body in emitted.bodies] == [(reference, True)]
