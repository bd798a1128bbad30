"""Fault 8.30: whatever a message or a credential holds becomes a request or a BadInput that names the field."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.credentials import new_engine
from lib.engine import Endpoint, Engine
from lib.engine.answer.pathstat import path_stat
from lib.engine.errors import BadInput, StreamFailed
from lib.engine.host import host_name
from lib.engine.request.path import expand
from lib.engine.request.query import (
    as_json,
    body_object,
    build,
    filters,
    lines,
    platform_json,
    repeated,
    repeated_platforms,
    seconds,
    whole,
)
from lib.engine.request.registry_auth import Registries, RegistryAuth, RegistryConfig
from lib.engine.version import EngineFacts, Version

# Text of every code point: halves of surrogate pairs too.
TEXT = st.text(st.characters(), max_size=12)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, -(10**4000), 1e308, float("inf"), float("nan"), -0.0]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=10,
)
ENGINE = Engine(Endpoint.parse("unix:///nowhere"))
FORMS = (
    "plain",
    whole("whole"),
    lines("tail"),
    filters(),
    filters(deletes=True),
    repeated("repeated"),
    as_json("json"),
    platform_json(),
    repeated_platforms(),
    seconds("since"),
)
FIELDS = ("tail", "plain", "whole", "filters", "repeated", "json", "platform", "platforms", "since")


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or the BadInput that it raises; anything else fails the test."""
    try:
        return call()
    except BadInput as fault:
        refusal = fault
    assert str(refusal).encode()
    assert len(str(refusal)) < 2_000
    return refusal


@given(st.sampled_from(FORMS), JSON)
def test_any_value_is_a_query_or_refused(form: Any, value: Any) -> None:
    """Fault 8.30."""
    found = outcome(lambda: build([form], dict.fromkeys(FIELDS, value)))
    if isinstance(found, BadInput):
        assert str(found.field).split(".")[0] in FIELDS
    else:
        assert found.isascii()
        assert not set(found) & set(" \r\n\0#")


@given(st.sampled_from(["/a/{id}/json", "/a/{+id}/json"]), JSON)
def test_any_value_is_a_path_or_refused(template: str, value: Any) -> None:
    """Fault 8.30."""
    found = outcome(lambda: expand(template, {"id": value}))
    if isinstance(found, BadInput):
        assert found.field == "id"
    else:
        assert found.isascii()
        assert not set(found) & set(" \r\n\0#?")


@given(JSON)
def test_any_value_is_a_body_or_refused(value: Any) -> None:
    """Fault 8.30: half of a surrogate pair would reach the engine as another character, infinity as null."""
    found = outcome(lambda: ENGINE.body("requestBody", {"requestBody": value}))
    if isinstance(found, bytes):
        assert json.dumps(json.loads(found), ensure_ascii=False).encode()
    outcome(lambda: body_object({"requestBody": value}))


def deep(levels: int, core: Any) -> Any:
    for _ in range(levels):
        core = {"a": [core]}
    return core


@pytest.mark.parametrize("levels", [10, 120, 240, 480, 900])
@pytest.mark.parametrize("core", [None, "\ud800", float("nan"), 1])
def test_a_deep_body_is_sent_or_refused(levels: int, core: Any) -> None:
    """Fault 8.30."""
    value = deep(levels, core)
    found = outcome(lambda: ENGINE.body("requestBody", {"requestBody": value}))
    assert isinstance(found, bytes | BadInput)
    if core is not None and core != 1:
        assert isinstance(found, BadInput)


def test_a_text_of_json_with_a_key_twice_is_refused_in_one_pass() -> None:
    """Fault 8.1: one of the two values was lost; looking for it must not take long in a text of any size."""
    keys = [f'"{number}":0' for number in range(300_000)]
    text = "{" + ",".join([*keys, keys[-1]]) + "}"
    found = outcome(lambda: ENGINE.body("requestBody", {"requestBody": text}))
    assert "twice" in str(found)


@given(JSON)
def test_any_value_is_a_login_or_refused(value: Any) -> None:
    """Fault 8.30."""
    for header in (RegistryAuth("name", always=True), RegistryConfig()):
        fields = {"name": value, "X_Registry_Auth": value, "X_Registry_Config": value}
        found = outcome(lambda header=header, fields=fields: header.write(fields, Registries()))
        if isinstance(found, tuple):
            assert found[1].isascii()
            assert found[1].isprintable()


ADDRESS = st.one_of(
    TEXT,
    st.builds("{}://{}{}".format, st.sampled_from(["http", "https", "tcp", "unix"]), TEXT, TEXT),
    st.builds("tcp://{}:{}/{}".format, TEXT, NUMBERS.filter(lambda n: abs(n) < 10**9), TEXT),
)
CREDENTIAL = st.dictionaries(
    st.sampled_from(
        [
            "server",
            "otherServer",
            "apiVersion",
            "tlsCa",
            "tlsCertificate",
            "tlsKey",
            "tlsKeyPassword",
            "tlsServerName",
            "tlsVerify",
            "proxy",
            "proxyUser",
            "proxyPassword",
            "accessMode",
            "registries",
        ]
    ),
    st.one_of(ADDRESS, JSON),
    max_size=4,
)


@given(CREDENTIAL)
def test_any_credential_is_an_engine_or_refused(config: dict[str, Any]) -> None:
    """Fault 8.30."""
    outcome(lambda: new_engine({"server": "unix", **config}).close())


@pytest.mark.parametrize(
    "url",
    [
        "http://a..b",
        "http://.a",
        "http://" + "a" * 64,
        "http://" + ".".join(["a" * 60] * 5),
        "http://a b",
        "http://a%2fb",
        "http://\u00fc..b",
        "http://" + "\u00fc" * 64,
        "http://[::1%25eth0%00]",
        "http://[1.2.3.4]",
        "http://engine:0",
        "http://engine:-1",
        "http://engine:65536",
        "http://engine:8o",
        "http://eng\nine",
        "http://engine\x7f",
        "http://\ud800",
        "unix:///a%00b",
        "unix:///" + "a" * 107,
        "unix:///\udc80",
    ],
    ids=lambda _: "case",
)
def test_what_no_socket_can_reach_is_refused(url: str) -> None:
    """Fault 8.30: hosts such as a..b raised UnicodeError when the first message came."""
    with pytest.raises(BadInput) as caught:
        Endpoint.parse(url)
    assert caught.value.field == "server"
    assert str(caught.value).encode()


def test_a_secret_of_an_address_with_a_control_character_is_not_shown() -> None:
    with pytest.raises(BadInput) as caught:
        Endpoint.parse("http://me:canary-71c2@eng\nine")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["engine", "my_engine.lab", "10.0.0.1", "fe80::1", "b\u00fccher.example", "a.b."]
)
def test_hosts_are_taken(host: str) -> None:
    assert host_name(host, "server") == host


def test_the_rest_of_an_address_cannot_break_the_request_line() -> None:
    """Fault 8.30."""
    assert Endpoint.parse("http://engine/a b/\u00fc%20").prefix == "/a%20b/%C3%BC%20"


@pytest.mark.parametrize(
    "value", [1.4, 1.41, 1, 0, 140, True, ["1.41"], {"a": 1}, "\u0661.41", "1." + "4" * 5000]
)
def test_a_version_is_a_text(value: Any) -> None:
    """Fault 8.30: the number 1.4 was an AttributeError, and may have been 1.40."""
    with pytest.raises(BadInput, match="apiVersion") as caught:
        new_engine({"server": "unix", "apiVersion": value})
    assert caught.value.field == "apiVersion"
    assert ('"1.40"' in str(caught.value)) == (type(value) in (int, float))


@pytest.mark.parametrize("text", ["", "garbage", "1", "1.2.3", "\u0661.41", "9" * 9000])
def test_what_calls_itself_an_engine_without_a_version_is_none(text: str) -> None:
    """Fault 8.30: it was named as a fault of the credential."""
    assert EngineFacts.from_headers({"Api-Version": text}) is None
    assert Version.of_engine(1.41) is None


@given(st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())))
def test_any_path_stat_is_read_or_a_failed_stream(data: bytes) -> None:
    """Fault 8.30."""
    for header in (base64.b64encode(data).decode(), data.decode("latin-1")):
        with suppress(StreamFailed):
            path_stat(header)


@pytest.mark.parametrize(
    "stat", [b'{"mode": 1e999}', b"[" * 60_000, b"7", b'{"mode": null}', b'{"mode": "x"}']
)
def test_a_path_stat_of_another_shape_is_a_failed_stream(stat: bytes) -> None:
    """Fault 8.30."""
    with pytest.raises(StreamFailed):
        path_stat(base64.b64encode(stat).decode())
