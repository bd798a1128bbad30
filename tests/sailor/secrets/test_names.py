"""Fault 8.23: one list says what is secret, and it knows passwords inside of addresses, also of malformed ones."""

from __future__ import annotations

import base64
import json

import pytest

from lib.sailor.net.addresses import shown
from lib.sailor.secrets.masking import Secrets
from lib.sailor.secrets.names import secrets_in_text, secrets_within, without_secrets
from lib.sailor.settings import Settings
from triggers.start_flow import process


@pytest.mark.parametrize(
    ("address", "shown_as"),
    [
        ("http://bob:canary@host", "http://host"),
        ("http://bob:canary/x@host", "http://host"),
        ("http://u:can@ary@engine/y", "http://engine/y"),
        ("http://u:c%61nary@engine", "http://engine"),
        ("see http://u:canary@engine and http://v:canary@engine", "see http://engine and http://engine"),
        ("http://engine:2375/x", "http://engine:2375/x"),
        ("unix:///run/docker.sock", "unix:///run/docker.sock"),
        ("me@example.org", "me@example.org"),
    ],
)
def test_fault_8_23_start_flow_shows_addresses_without_users(address: str, shown_as: str) -> None:
    body = process(None, None, {"otherServer": address, "deep": [{"x": address}]}, None).body  # type: ignore[arg-type]
    assert body["config"] == {"otherServer": shown_as, "deep": [{"x": shown_as}]}


@pytest.mark.parametrize(
    "address",
    ["http://bob:canary/x@host", "http://u:can@nary@engine", "http://u:canary@h", "tcp://u:c%61nary@h:1"],
)
def test_fault_8_23_the_log_does_not_show_a_password_of_an_address(address: str) -> None:
    secrets = Secrets()
    secrets.add(secrets_within({"otherServer": address}))
    for text in (address, address.partition("://")[2], "port 'canary' is no number", "c%61nary", "can@nary"):
        if text in address:
            assert "nary" not in secrets.mask(f"no answer of {text}: refused")


def test_fault_8_23_what_else_holds_secrets() -> None:
    login = {"username": "somebody", "password": "canary-1", "serveraddress": "registry.lab"}
    config = {
        "registries": json.dumps(
            {"registry.lab": login, "b": {"auth": base64.b64encode(b"me:canary-2").decode()}}
        ),
        "authorization": "Bearer canary-3",
        "note": "--db-password=canary-4 https://files.lab/?x=1&sig=canary-5",
        "env": {"DB_PWD": "canary-6", "OAUTH_TOKEN": {"value": "canary-7"}},
    }
    found = set(secrets_within(config))
    assert {f"canary-{number}" for number in range(1, 8)} <= found
    assert not {"somebody", "registry.lab"} & found


def test_fault_8_23_names_without_secrets_are_kept() -> None:
    config = {"server": "unix", "accessMode": "full", "filters": {"label": ["a=b"]}, "tlsVerify": "skip"}
    assert without_secrets(config) == config
    assert list(secrets_within(config)) == []


@pytest.mark.parametrize(
    "uri", ["amqp://me:canary/x@broker", "amqp://me:can%41@broker:1/v", "amqp://a:b@[broker"]
)
def test_fault_8_23_the_broker_s_password_is_known_however_it_is_written(uri: str) -> None:
    own = Settings(amqp_uri=uri).secrets()
    password = uri.partition("//")[2].rpartition("@")[0].partition(":")[2]
    assert password in own


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://me:canary@api.lab/v1?sig=canary", "https://api.lab/v1"),
        ("https://me:canary/x@api.lab/v1", "the address"),
        ("https://api.lab/a@b", "https://api.lab/a@b"),
    ],
)
def test_fault_8_23_errors_of_the_platform_s_addresses_show_no_password(url: str, text: str) -> None:
    assert shown(url) == text


def test_fault_8_23_a_text_without_secrets_has_none() -> None:
    for text in ("a=b", "http://host:1/x", "mail me@x.org", "=", "://@", "token", "a://b@c"):
        assert list(secrets_in_text(text)) == []
