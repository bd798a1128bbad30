"""Statuses from 400 up become errors; a fake adapter stands in for the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests_mock

from lib.engine import Endpoint, Engine
from lib.engine.errors import (
    Busy,
    Conflict,
    EngineError,
    EngineFault,
    NotFound,
    NotSupported,
    Refused,
    TlsRefused,
    Unauthorized,
    VersionMismatch,
)
from lib.engine.http.retry import Retry

ROOT = "http://engine.lab"
PING = {"Api-Version": "1.41"}


@pytest.fixture
def mock() -> requests_mock.Adapter:
    adapter = requests_mock.Adapter()
    adapter.register_uri("HEAD", f"{ROOT}/_ping", headers=PING)
    return adapter


@pytest.fixture
def engine(mock: requests_mock.Adapter) -> Iterator[Engine]:
    with Engine(Endpoint.parse("http://engine.lab:80"), retry=Retry(attempts=1)) as engine:
        engine.sender.session.mount("http://", mock)
        yield engine


def refused(engine: Engine, mock: requests_mock.Adapter, status: int, **answer: Any) -> EngineError:
    mock.register_uri("DELETE", f"{ROOT}/v1.41/secrets/x", status_code=status, **answer)
    with pytest.raises(EngineError) as caught:
        engine.delete("/secrets/{id}", {"id": "x"})
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Unauthorized),
        (402, Refused),
        (403, Unauthorized),
        (404, NotFound),
        (405, Refused),
        (409, Conflict),
        (413, Refused),
        (429, Busy),
        (500, EngineFault),
        (501, NotSupported),
        (502, EngineFault),
        (503, EngineFault),
        (599, EngineFault),
    ],
)
def test_each_status_has_its_class(
    engine: Engine, mock: requests_mock.Adapter, status: int, kind: type[EngineError]
) -> None:
    error = refused(engine, mock, status, json={"message": "because"})
    assert type(error) is kind
    assert (error.message, error.status, error.method) == ("because", status, "DELETE")
    assert error.path == "/v1.41/secrets/x"
    assert f"because [{status} DELETE /v1.41/secrets/x]" in str(error)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"json": {"message": "as JSON"}}, "as JSON"),
        ({"json": {"cause": "c", "message": "of Podman", "response": 404}}, "of Podman"),
        ({"text": "plain text\n"}, "plain text"),
        ({"text": "", "reason": "Bad Gateway"}, "Bad Gateway"),
        ({"json": {}, "reason": "Teapot"}, "Teapot"),
        ({"json": ["odd"], "reason": "Teapot"}, "['odd']"),
        ({"content": b"\xff\xfe"}, "\ufffd\ufffd"),
        ({"text": "x" * 9000}, "x" * 2000 + " …"),
        ({"text": "<html><b>Bad</b>\n<i title='a'>Gateway</i>"}, "Bad Gateway"),
        ({"text": "<p>" * 50_000 + "late", "reason": "Teapot"}, "Teapot"),
        ({"text": "<p>early" + "<p>" * 50_000}, "early …"),
    ],
)
def test_the_text_is_the_engines_own(
    engine: Engine, mock: requests_mock.Adapter, answer: dict[str, Any], text: str
) -> None:
    assert refused(engine, mock, 400, **answer).message == text


@pytest.mark.parametrize(
    "text", ["client version 1.33 is too old. Minimum ...", "client version 1.99 is too new."]
)
def test_a_wrong_version_is_told_as_such(engine: Engine, mock: requests_mock.Adapter, text: str) -> None:
    assert isinstance(refused(engine, mock, 400, json={"message": text}), VersionMismatch)


def test_http_at_a_port_of_tls_is_told_as_such(engine: Engine, mock: requests_mock.Adapter) -> None:
    text = "Client sent an HTTP request to an HTTPS server.\n"
    assert isinstance(refused(engine, mock, 400, text=text), TlsRefused)


@pytest.mark.parametrize(
    "text",
    ["page not found", "Not Found", "Path /v1.41/x is not supported", "Podman does not support service: x"],
)
def test_a_route_that_the_engine_lacks_is_told_as_such(
    engine: Engine, mock: requests_mock.Adapter, text: str
) -> None:
    assert "does not know the operation" in str(refused(engine, mock, 404, text=text))


def test_an_outdated_version_of_a_swarm_object_can_be_told_apart(
    engine: Engine, mock: requests_mock.Adapter
) -> None:
    error = refused(engine, mock, 500, json={"message": "rpc error: desc = update out of sequence"})
    assert isinstance(error, EngineFault)
    assert error.outdated
    other = refused(engine, mock, 500, json={"message": "out of disk"})
    assert isinstance(other, EngineFault)
    assert not other.outdated
