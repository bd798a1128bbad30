"""Builds on engines that are reached by TLS: the session is a connection of its own, with the same certificates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from lib.sailor.message.ids import random_id
from tests.integration.operations.abilities import YES
from tests.integration.operations.kinds import KINDS
from tests.integration.operations.site import Site
from tests.integration.operations.test_buildkit import build
from tests.integration.operations.test_buildkit_platforms import scratch
from tests.integration.operations.test_buildkit_session import mount, private_base
from tests.lab.certificates import Certificates
from tests.lab.engine import LabEngine
from tests.lab.newer import NewerEngineError
from tests.lab.skipping import skip_anywhere

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", params=["20.10", "26.1", "28.5", "28.5-containerd"])
def secured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    certificates = Certificates.made_in(tmp_path_factory.mktemp("certificates"))
    try:
        engine = KINDS[request.param].start(4, certificates=certificates)
    except (PrivateEngineError, LocalImageError, NewerEngineError) as problem:
        skip_anywhere(f"no engine {request.param}: {problem}")
    site = Site(request.param, engine)
    yield site
    site.close()


def over_tls(engine: LabEngine) -> dict[str, Any]:
    ours = engine.certificates
    return {
        "otherServer": engine.tcp_url,
        "tlsCa": ours.ca.read_text(),
        "tlsCertificate": ours.client.read_text(),
        "tlsKey": ours.client_key.read_text(),
    }


def test_a_session_over_tls_gives_what_the_engine_asks_for(
    secured: Site, record_property: Callable[[str, object], None]
) -> None:
    registry, value = secured.secured, f"hush-{random_id()}"
    line = mount(
        "token", f"wc -c /run/secrets/token; cat /run/secrets/token; echo {random_id()}", required="true"
    )
    body = build(secured, f"lab/{random_id()}:1", line, "RUN exit 7")
    base = private_base(secured)
    body["dockerfileText"] = body["dockerfileText"].replace(secured.engine.image, base)
    body |= {
        "secrets": {"token": value, "large": "x" * 300_000},
        "X_Registry_Config": {registry.address: {"username": registry.user, "password": registry.password}},
    }
    told = secured.fails("ImageBuild", body, "StreamFailed", **over_tls(secured.lab))
    assert "RUN exit 7 ended with exit code 7" in told
    body["dockerfileText"] = body["dockerfileText"].replace(
        "RUN exit 7", mount("large", "wc -c /run/secrets/large")
    )
    built = secured.do("ImageBuild", {**body, "outputs": [{"type": "tar"}]}, **over_tls(secured.lab))
    assert any("300000 /run/secrets/large" in text for text in built["lines"])
    assert value not in json.dumps(built)
    assert built["attachment"]["size"] > 1_000_000
    record_property("ability", ("session over TLS", secured.name, YES))


def test_a_build_for_several_platforms_goes_over_tls(secured: Site) -> None:
    built = secured.do("ImageBuild", scratch("x:1", outputs=[{"type": "tar"}]), **over_tls(secured.lab))
    assert {step["stage"] for step in built["steps"]} >= {"linux/amd64", "linux/arm64"}


def test_a_stranger_opens_no_session(secured: Site) -> None:
    theirs = secured.lab.certificates
    settings = over_tls(secured.lab) | {
        "tlsCertificate": theirs.stranger.read_text(),
        "tlsKey": theirs.stranger_key.read_text(),
    }
    secured.fails("ImageBuild", build(secured, "x:1"), "TlsRefused", **settings)
