"""A real engine through a real HTTP proxy (CONNECT): calls, uploads, streams, conversations, with TLS and without."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.credentials import new_engine
from lib.engine.errors import TlsRefused
from lib.engine.request.upload import Upload
from tests.actions.stepping import forget_engines, run_step
from tests.integration.test_talks_over_tls import credential, gets_its_secret, one
from tests.integration.test_verify_credentials import Silent
from tests.lab.connect_proxy import ConnectProxy
from tests.lab.engine import LabEngine
from verify_credentials import verify

pytestmark = pytest.mark.engine

SECRET = "canary-77d0"
LOGIN = "Basic bWU6Y2FuYXJ5LTc3ZDA="
WAYS = ("https", "http")


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with ConnectProxy(login=LOGIN) as proxy:
        yield proxy
        forget_engines()  # they hold connections, whose ends the proxy waits for


@pytest.fixture(params=WAYS)
def engine(request: pytest.FixtureRequest) -> LabEngine:
    engine: LabEngine = request.getfixturevalue("tls_engine" if request.param == "https" else "engine_lab")
    return engine


@pytest.fixture
def config(engine: LabEngine, proxy: ConnectProxy) -> dict[str, Any]:
    return behind(engine, proxy)


def behind(engine: LabEngine, proxy: ConnectProxy) -> dict[str, Any]:
    if engine.tcp_url.startswith("https"):
        fields = credential(engine)
    else:
        fields = {"server": "2", "otherServer": engine.tcp_url}
    return {**fields, "proxy": proxy.url, "proxyUser": "me", "proxyPassword": SECRET}


def test_calls_share_a_tunnel(config: dict[str, Any], engine: LabEngine, proxy: ConnectProxy) -> None:
    with new_engine(config) as client:
        for _ in range(3):
            assert client.get("/version").json()["Version"].partition("+")[0] == engine.version
    assert proxy.targets == [engine.tcp_url.partition("//")[2]]


def test_an_upload_and_a_download_pass(config: dict[str, Any], engine: LabEngine) -> None:
    content = bytes(range(256)) * 8192
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        info = tarfile.TarInfo("large")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    sent = archive.getvalue()
    pieces = [sent[start : start + 10_000] for start in range(0, len(sent), 10_000)]
    container = engine.create()
    with new_engine(config) as client:
        fields = {"id": container, "path": "/tmp"}
        client.put("/containers/{id}/archive", fields, query=("path",), body=Upload(pieces))
        fields["path"] = "/tmp/large"
        with client.tar("/containers/{id}/archive", fields, query=("path",)) as found:
            back = b"".join(found)
    with tarfile.open(fileobj=io.BytesIO(back)) as tar:
        member = tar.extractfile("large")
        assert member is not None
        assert member.read() == content
    engine.remove(container)


def test_a_build_is_heard_to_its_end(config: dict[str, Any], engine: LabEngine) -> None:
    body = {
        "dockerfileText": f"FROM {engine.image}\nRUN echo heard\n",
        "networkmode": "host",
        "nocache": True,
    }
    assert "heard" in "\n".join(one(run_step("ImageBuild", body, config))["lines"])


def test_a_stream_that_is_followed_comes_as_it_is_written(config: dict[str, Any], engine: LabEngine) -> None:
    container = engine.run(["sh", "-c", "echo one; while [ ! -e /go ]; do sleep 0.05; done; echo two"])
    with new_engine(config) as client:
        wish = {"id": container, "stdout": True, "follow": True}
        with client.logs(
            "/containers/{id}/logs", wish, query=("stdout", "follow"), tty=lambda *_: False
        ) as logs:
            lines = iter(logs)
            assert next(lines).text == "one"
            engine.wire.do("PUT", f"/containers/{container}/archive?path=/", _empty("go"))
            assert next(lines).text == "two"
            assert list(lines) == []
    engine.remove(container)


def _empty(name: str) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    return archive.getvalue()


def test_a_command_gets_its_stdin_and_is_heard_to_the_end(config: dict[str, Any], engine: LabEngine) -> None:
    container = engine.run()
    command = ["sh", "-c", "wc -c; sleep 0.1; echo rest >&2; exit 6"]
    body = {"id": container, "requestBody": {"Cmd": command, "AttachStdin": True}}
    made = one(run_step("ContainerExec", body, config))["Id"]
    heard = one(run_step("ExecStart", {"id": made, "stdin": "x" * 500_000}, config))
    assert (heard["stdout"].strip(), heard["stderr"], heard["exitCode"]) == ("500000", "rest\n", 6)
    engine.remove(container)


@pytest.mark.parametrize("key", ["ContainerAttach", "ContainerAttachWebsocket"])
def test_a_container_gets_its_stdin(config: dict[str, Any], engine: LabEngine, key: str) -> None:
    container = engine.run(["sh", "-c", "cat; sleep 0.1; echo rest"], OpenStdin=True, StdinOnce=True)
    heard = one(run_step(key, {"id": container, "stdinText": "hello\n"}, config))
    assert heard["text"] == "hello\nrest\n"
    engine.remove(container)


def test_a_build_with_a_session_gets_its_secret(
    config: dict[str, Any], engine: LabEngine, tmp_path: Path
) -> None:
    gets_its_secret(engine, config, tmp_path)


def test_verification_tells_the_way(config: dict[str, Any], engine: LabEngine, proxy: ConnectProxy) -> None:
    context = Silent()
    facts = verify(context, config)
    assert (facts["verified"], facts["proxy"], facts["engine"]) == (True, proxy.url, engine.tcp_url)
    assert SECRET not in f"{facts} {context.told}"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"proxyPassword": "canary-77d1"}, "Check proxyUser and proxyPassword"),
        ({"proxyUser": None, "proxyPassword": None}, "Fill proxyUser and proxyPassword"),
        ({"otherServer": "https://127.0.0.1:1"}, "Check the engine's host and port"),
    ],
)
def test_verification_tells_whose_matter_a_failure_is(
    proxy: ConnectProxy, changes: dict[str, Any], told: str
) -> None:
    fields = {"server": "2", "otherServer": "https://127.0.0.1:1", "proxy": proxy.url, "proxyUser": "me"}
    context = Silent()
    facts = verify(context, {**fields, "proxyPassword": SECRET, **changes})
    assert facts["verified"] is False
    assert told in facts["reason"]
    assert "canary" not in f"{facts} {context.told}"


def test_an_error_of_a_step_shows_no_login(proxy: ConnectProxy) -> None:
    fields = {"server": "2", "otherServer": "http://127.0.0.1:1", "proxy": proxy.url, "proxyUser": "me"}
    outcome = run_step(
        "ContainerList", {}, {**fields, "proxyPassword": "canary-77d1", "errorPolicy": "throwError"}
    )
    (error,) = outcome.errors
    assert error["name"] == "ProxyRefused"
    assert "canary" not in f"{outcome.errors} {outcome.log}"


def test_the_systems_authorities_count_where_the_credential_has_none(
    tls_engine: LabEngine, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fields in (behind(tls_engine, proxy), credential(tls_engine)):
        held = tls_engine.certificates
        monkeypatch.setenv("SSL_CERT_FILE", str(held.ca))  # read by OpenSSL: the file of the system's store
        with new_engine({**fields, "tlsCa": None}) as client:
            assert client.get("/_ping").text == "OK"
        monkeypatch.setenv("SSL_CERT_FILE", str(held.stranger_ca))
        with new_engine({**fields, "tlsCa": None}) as client, pytest.raises(TlsRefused, match="not trusted"):
            client.get("/_ping")
