"""Builds on engines that have dropped POST /session and POST /grpc, and speak HTTP/2 at their address instead.

No such engine can be had: a proxy before a real one takes these calls away, and passes frames of HTTP/2 on to the
service that is behind them. Whatever is built is built by the real engine.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import forget_engines
from tests.integration.operations.conftest import Able
from tests.integration.operations.proving import success
from tests.integration.operations.site import Site
from tests.integration.operations.test_buildkit import build, name
from tests.integration.operations.test_buildkit_faults import Building, lost
from tests.integration.operations.test_buildkit_platforms import scratch
from tests.integration.operations.test_buildkit_session import mount, private_base
from tests.lab.certificates import Certificates
from tests.lab.gate import Gate
from tests.lab.http2_proxy import DROPPED, Http2Proxy

__all__ = ["name"]

pytestmark = [
    pytest.mark.engine,
    pytest.mark.parametrize("site", ["20.10", "28.5", "28.5-containerd"], indirect=True, scope="session"),
]


@pytest.fixture(scope="module", params=["unix", "tcp", "tls"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(site: Site, way: str, tmp_path: Path) -> Iterator[tuple[Http2Proxy, dict[str, Any]]]:
    """The stand-in, and the settings that lead to it."""
    settings: dict[str, Any] = {}
    certificates = None
    if way == "tls":
        certificates = Certificates.made_in(tmp_path)
        settings = {
            "tlsCa": certificates.ca.read_text(),
            "tlsCertificate": certificates.client.read_text(),
            "tlsKey": certificates.client_key.read_text(),
        }
    with Http2Proxy(
        site.lab.socket, folder=tmp_path if way == "unix" else None, certificates=certificates
    ) as proxy:
        yield proxy, {"otherServer": proxy.url, **settings}
    forget_engines()


@success("ImageBuild")
def test_a_session_goes_by_http2(
    site: Site, name: str, engine: tuple[Http2Proxy, dict[str, Any]], able: Able
) -> None:
    proxy, settings = engine
    secret = "x" * 200_000
    registry = site.secured
    line = mount("token", f"sha256sum /run/secrets/token; echo {random_id()}", required="true")
    body = build(site, name, line, secrets={"token": secret}, outputs=[{"type": "tar"}])
    body["dockerfileText"] = body["dockerfileText"].replace(site.engine.image, private_base(site))
    body["X_Registry_Config"] = {registry.address: {"username": registry.user, "password": registry.password}}
    built = site.do("ImageBuild", body, **settings)
    assert any(hashlib.sha256(secret.encode()).hexdigest() in text for text in built["lines"])
    assert built["attachment"]["size"] > 1_000_000
    assert proxy.direct == 1
    assert proxy.offered == []
    assert [call for call in proxy.calls if call in DROPPED] == list(DROPPED)
    able("session by HTTP/2 at the address", seen=True)


@success("ImageBuild")
def test_several_platforms_are_built_by_http2(
    site: Site, name: str, engine: tuple[Http2Proxy, dict[str, Any]], able: Able
) -> None:
    proxy, settings = engine
    built = site.do("ImageBuild", scratch(name, outputs=[{"type": "tar"}]), **settings)
    with tarfile.open(fileobj=io.BytesIO(site.content(built["attachment"]))) as archive:
        assert {"linux_amd64/arch", "linux_arm64/arch"} <= set(archive.getnames())
    assert proxy.direct == 2  # the session, and the build itself
    assert "POST /build" not in proxy.calls
    able("several platforms by HTTP/2 at the address", seen=True)


@pytest.mark.parametrize("way", ["unix", "tls"], indirect=True)
def test_a_session_by_http2_that_is_cut_fails_the_step_that_needs_it(
    site: Site, name: str, engine: tuple[Http2Proxy, dict[str, Any]]
) -> None:
    proxy, settings = engine
    with Gate(site.lab.namespace) as gate:
        lines = [f"RUN {gate.command}", mount("token", f"true; echo {random_id()}", required="true")]
        body = build(site, name, *lines, secrets={"token": "hush-hush"})
        built = Building(site, body, **settings)
        gate.entered()
        proxy.cut()
        gate.open()
        told = built.error()
    assert lost(told), told
