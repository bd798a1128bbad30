"""The credential's fields, in the forms that the present and the older connector's forms store them."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from lib.credentials import new_engine, open_engine, server_url
from lib.engine.errors import BadInput
from lib.sailor.secrets.names import names_a_secret
from tests.lab.at_once import at_once


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ({"server": "0"}, "http://docker.local/v1.33"),
        ({"server": "1"}, "https://docker.local/v1.33"),
        ({"server": "http://docker.local/v1.33"}, "http://docker.local/v1.33"),
        ({"server": "2", "otherServer": "tcp://engine:2375"}, "tcp://engine:2375"),
        ({"server": "--- Custom URL", "otherServer": "tcp://engine:2375"}, "tcp://engine:2375"),
        ({"otherServer": "unix:///run/docker.sock"}, "unix:///run/docker.sock"),
        ({"server": "unix"}, "unix:///var/run/docker.sock"),
        ({"server": "0", "otherServer": "tcp://ignored:2375"}, "http://docker.local/v1.33"),
    ],
)
def test_server_and_other_server_mean_one_address(config: dict[str, Any], url: str) -> None:
    assert server_url(config) == url


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"otherServer": ""}, "otherServer"),
        ({"otherServer": "ftp://engine"}, "otherServer"),
        ({"otherServer": "ssh://root:password@engine"}, "otherServer"),
        ({"otherServer": "tcp://engine:99999"}, "otherServer"),
        ({"otherServer": "tcp://"}, "otherServer"),
        ({"otherServer": "http://engine/x?y=1"}, "otherServer"),
        ({"apiVersion": "latest"}, "apiVersion"),
        ({"accessMode": "sometimes"}, "accessMode"),
        ({"tlsVerify": "maybe"}, "tlsVerify"),
        ({"registries": "{"}, "registries"),
        ({"buildSecrets": "{"}, "buildSecrets"),
        ({"buildSecrets": '{"a,b": "canary"}'}, "buildSecrets"),
        ({"registries": '["a"]'}, "registries"),
        ({"registries": '{"r.example.org": {"user": "me"}}'}, "registries.r.example.org"),
        ({"otherServer": "https://engine", "tlsCa": "no pem"}, "tlsCa"),
        (
            {"otherServer": "https://engine", "tlsCertificate": "-----BEGIN CERTIFICATE-----"},
            "tlsCertificate",
        ),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], field: str) -> None:
    """Fault 8.33: for a bad otherServer it was `server`."""
    with pytest.raises(BadInput) as caught:
        new_engine({"server": "2", "otherServer": "tcp://engine:2375", **changes})
    assert caught.value.field == field
    assert field in caught.value.message


def test_a_server_that_is_no_address_is_named_itself() -> None:
    """Fault 8.33."""
    with pytest.raises(BadInput) as caught:
        new_engine({"server": "ftp://engine", "otherServer": "tcp://engine:2375"})
    assert caught.value.field == "server"


def test_the_same_credential_gives_the_same_engine() -> None:
    config = {"server": "2", "otherServer": "tcp://engine:2375"}
    assert open_engine(config).sender is open_engine(dict(config)).sender
    assert open_engine(config).negotiation is open_engine(dict(config)).negotiation
    assert open_engine(config).sender is not open_engine({**config, "accessMode": "readOnly"}).sender


def test_messages_that_come_first_together_share_one_engine() -> None:
    """fault 8.34: often enough that without a lock some would meet inside."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(50):
            assert len(opened_together({"server": "2", "otherServer": f"tcp://first{number}:2375"})) == 1
    finally:
        sys.setswitchinterval(interval)


def opened_together(config: dict[str, Any]) -> set[int]:
    """The senders that eight messages get which come at once."""
    return {id(engine.sender) for engine in at_once(*[lambda: open_engine(config)] * 8)}


def test_each_message_has_its_own_end_and_its_own_log() -> None:
    """fault 8.34: the engine that is kept knew the first message's for ever."""
    config = {"server": "2", "otherServer": "tcp://kept:2375"}
    told: list[list[str]] = [[], []]
    ends = [threading.Event(), threading.Event()]
    engines = [
        open_engine(config, cancelled=end, warn=log.append) for end, log in zip(ends, told, strict=True)
    ]
    engines[1].warn("second")
    assert told == [[], ["second"]]
    assert [engine.cancelled for engine in engines] == ends


def test_secrets_are_in_no_representation() -> None:
    config = {
        "server": "2",
        "otherServer": "http://user:canary-1@proxy:80",
        "registries": '{"r.example.org": {"username": "me", "password": "canary-2"}}',
    }
    engine = new_engine(config)
    shown = repr(engine.endpoint) + str(engine.endpoint) + repr(engine.registries) + repr(engine)
    assert "canary" not in shown


def test_a_version_in_the_address_yields_and_a_pinned_one_does_not() -> None:
    assert new_engine({"server": "0"}).negotiation.pin_yields
    assert not new_engine({"server": "0", "apiVersion": "1.40"}).negotiation.pin_yields


@pytest.mark.parametrize("server", ["unix", "0", "http://engine"])
def test_fault_8_24_an_old_flow_with_the_default_check_keeps_running(server: str) -> None:
    assert new_engine({"server": server, "tlsVerify": "verify", "tlsCa": ""}).endpoint.tls is None


def test_fault_8_24_garbage_beside_a_socket_does_not_verify() -> None:
    with pytest.raises(BadInput) as caught:
        new_engine({"server": "unix", "tlsCa": "garbage"})
    assert caught.value.field == "tlsCa"


def test_fault_8_23_every_password_field_of_the_form_counts_as_secret() -> None:
    manifest = json.loads((Path(__file__).parents[2] / "component.json").read_text("utf-8"))
    fields = manifest["credentials"]["fields"]
    hidden = [name for name, field in fields.items() if field["viewClass"] == "PasswordFieldView"]
    assert len(hidden) >= 3
    assert all(names_a_secret(name) for name in hidden)
    assert not any(names_a_secret(name) for name in fields if name not in hidden)
