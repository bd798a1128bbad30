"""The credential's fields, in the forms that the present and the older connector's forms store them."""

from __future__ import annotations

from typing import Any

import pytest

from lib.credentials import new_engine, open_engine, server_url
from lib.engine.errors import BadInput


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
        ({"otherServer": "ftp://engine"}, "server"),
        ({"otherServer": "ssh://root@engine"}, "server"),
        ({"otherServer": "tcp://engine:99999"}, "server"),
        ({"otherServer": "tcp://"}, "server"),
        ({"otherServer": "http://engine/x?y=1"}, "server"),
        ({"apiVersion": "latest"}, "apiVersion"),
        ({"accessMode": "sometimes"}, "accessMode"),
        ({"tlsVerify": "maybe"}, "tlsVerify"),
        ({"registries": "{"}, "registries"),
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
    with pytest.raises(BadInput) as caught:
        new_engine({"server": "2", "otherServer": "tcp://engine:2375", **changes})
    assert caught.value.field == field


def test_the_same_credential_gives_the_same_engine() -> None:
    config = {"server": "2", "otherServer": "tcp://engine:2375"}
    assert open_engine(config) is open_engine(dict(config))
    assert open_engine(config) is not open_engine({**config, "accessMode": "readOnly"})


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
    assert new_engine({"server": "0"})._pin_yields
    assert not new_engine({"server": "0", "apiVersion": "1.40"})._pin_yields
