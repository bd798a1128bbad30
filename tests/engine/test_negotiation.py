"""Which version is spoken: small engines on real sockets."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from lib.engine import Endpoint, Engine
from lib.engine.errors import Unreachable, VersionMismatch
from lib.engine.version import Version
from tests.engine.scripted import Scripted, answer, say
from tests.lab.at_once import at_once

RANGE = answer(json.dumps({"ApiVersion": "1.51", "MinAPIVersion": "1.44"}).encode())
NO = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


def ping(version: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nApi-Version: {version}\r\nContent-Length: 0\r\n\r\n".encode()


def paths(engine: Scripted) -> list[str]:
    return [request.split(b"\r\n")[0].decode().removesuffix(" HTTP/1.1") for request in engine.requests]


@pytest.mark.parametrize(
    ("top", "spoken"), [("1.41", "1.41"), ("1.33", "1.33"), ("1.56", "1.56"), ("1.99", "1.56")]
)
def test_the_newest_that_both_speak_is_used_and_asked_for_once(tmp_path: Path, top: str, spoken: str) -> None:
    with (
        Scripted(tmp_path, say(answer(b"[]")), say(answer(b"[]")), ping=ping(top)) as fake,
        Engine(Endpoint.parse(fake.url)) as engine,
    ):
        engine.get("/containers/json")
        engine.get("/containers/json")
        assert paths(fake) == [f"GET /v{spoken}/containers/json"] * 2


def test_an_engine_that_knows_no_head_is_asked_by_get(tmp_path: Path) -> None:
    with (
        Scripted(tmp_path, say(ping("1.30")), ping=NO) as fake,
        Engine(Endpoint.parse(fake.url)) as engine,
    ):
        assert engine.version == Version(1, 30)
        assert paths(fake) == ["GET /_ping"]


@pytest.mark.parametrize("refusal", [NO, FORBIDDEN])
def test_a_proxy_that_forbids_ping_may_let_version_through(tmp_path: Path, refusal: bytes) -> None:
    with (
        Scripted(tmp_path, say(refusal), say(RANGE), ping=refusal) as fake,
        Engine(Endpoint.parse(fake.url)) as engine,
    ):
        assert engine.version == Version(1, 51)
        assert engine.facts.minimum == Version(1, 44)


def test_what_is_no_engine_is_told_as_such(tmp_path: Path) -> None:
    hello = answer(b"<html>", kind="text/html")
    with (
        Scripted(tmp_path, say(hello), say(hello), ping=answer(b"")) as fake,
        Engine(Endpoint.parse(fake.url)) as engine,
        pytest.raises(Unreachable, match="no Docker Engine"),
    ):
        engine.get("/info")


def test_a_pin_outside_the_range_names_range_and_pin(tmp_path: Path) -> None:
    with (
        Scripted(tmp_path, say(RANGE), ping=ping("1.51")) as fake,
        Engine(Endpoint.parse(fake.url), pin="1.33") as engine,
        pytest.raises(VersionMismatch, match=r"speaks API 1\.44-1\.51, the credential pins 1\.33"),
    ):
        engine.get("/info")


def test_a_pin_of_the_address_gives_way_with_a_warning(tmp_path: Path) -> None:
    warnings: list[str] = []
    with (
        Scripted(tmp_path, say(RANGE), say(answer(b"{}")), ping=ping("1.51")) as fake,
        Engine(
            Endpoint.parse(f"unix://{fake.path}"), pin="1.33", pin_yields=True, warn=warnings.append
        ) as engine,
    ):
        engine.get("/info")
        assert paths(fake)[-1] == "GET /v1.51/info"
        assert "1.33" in warnings[0]


def test_a_field_that_is_too_new_names_both_versions(tmp_path: Path) -> None:
    with (
        Scripted(tmp_path, say(RANGE), ping=ping("1.51")) as fake,
        Engine(Endpoint.parse(fake.url)) as engine,
        pytest.raises(VersionMismatch, match=r"speaks API 1\.44-1\.51; ImageAttestations needs 1\.55"),
    ):
        engine.require(Version(1, 55), "ImageAttestations")


def test_an_engine_that_was_exchanged_is_asked_again(tmp_path: Path) -> None:
    old = answer(
        b'{"message":"client version 1.41 is too old. Minimum supported API version is 1.44"}',
        "400 Bad Request",
    )
    with (
        Scripted(tmp_path, say(old), say(answer(b"{}")), ping=ping("1.41")) as fake,
        Engine(Endpoint.parse(fake.url)) as engine,
    ):
        assert engine.version == Version(1, 41)
        fake._ping = ping("1.51")
        engine.get("/info")
        assert paths(fake) == ["GET /v1.41/info", "GET /v1.51/info"]


def test_messages_that_come_first_together_ask_once(tmp_path: Path) -> None:
    """fault 8.34."""
    asked: list[None] = []

    class Counting(Scripted):
        @staticmethod
        def _request(peer: socket.socket) -> bytes:
            request = Scripted._request(peer)
            if request.startswith(b"HEAD /_ping"):
                asked.append(None)
            return request

    with Counting(tmp_path) as fake, Engine(Endpoint.parse(fake.url)) as engine:
        assert at_once(*[lambda: engine.with_timeouts(1, 1).version] * 8) == [Version(1, 41)] * 8
        assert len(asked) == 1


def test_what_one_message_learns_of_an_exchanged_engine_all_know(tmp_path: Path) -> None:
    """fault 8.34: a copy for a step with limits went on with the version of before."""
    too_new = answer(
        b'{"message":"client version 1.41 is too new. Maximum supported API version is 1.40"}',
        "400 Bad Request",
    )
    acts = (say(too_new), *[say(answer(b"{}"))] * 3)
    with Scripted(tmp_path, *acts) as fake, Engine(Endpoint.parse(fake.url)) as engine:
        views = [engine.with_timeouts(1, 1), engine.with_timeouts(2, 2)]
        assert views[0].version == views[1].version == Version(1, 41)
        fake._ping = fake._ping.replace(b"1.41", b"1.40")
        for one in (*views, engine):
            one.get("/info")
        assert paths(fake) == ["GET /v1.41/info", *["GET /v1.40/info"] * 3]


@pytest.mark.parametrize("version", ["", "41", "1.x", "\xff", "1." + "4" * 5000])
def test_a_version_that_is_none_is_no_matter_of_the_credential(tmp_path: Path, version: str) -> None:
    """fault 8.30: BadInput would name a field that nobody filled in."""
    told = json.dumps({"ApiVersion": version}).encode()
    acts = [say(answer(told)), say(answer(told))]
    with (
        Scripted(
            tmp_path, *acts, ping=f"HTTP/1.1 200 OK\r\nApi-Version: {version}\r\n\r\n".encode("latin-1")
        ) as fake,
        Engine(Endpoint.parse(fake.url)) as engine,
        pytest.raises(Unreachable, match="no Docker Engine"),
    ):
        engine.get("/info")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b"[" * 100_000,
        b'{"ApiVersion": ' + b"1" * 5000 + b"}",
        b'{"ApiVersion": 1.41}',
        b'{"ApiVersion": []}',
    ],
    ids=["list", "cut", "deep", "long number", "number", "list inside"],
)
def test_a_system_version_that_is_none_is_no_engine(tmp_path: Path, body: bytes) -> None:
    """fault 8.30."""
    with (
        Scripted(tmp_path, say(answer(b"")), say(answer(body)), ping=answer(b"")) as fake,
        Engine(Endpoint.parse(fake.url)) as engine,
        pytest.raises(Unreachable, match="no Docker Engine"),
    ):
        engine.get("/info")
