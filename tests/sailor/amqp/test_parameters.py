from __future__ import annotations

import pytest

from lib.sailor.amqp.parameters import parameters
from lib.sailor.errors import TransportError
from lib.sailor.settings import Settings


def test_a_bare_uri_means_the_brokers_own_heartbeat_and_the_root_host() -> None:
    wanted = parameters("amqp://user:p%40ss@host", "read")

    assert (wanted.host, wanted.port, wanted.virtual_host) == ("host", 5672, "/")
    assert (wanted.credentials.username, wanted.credentials.password) == ("user", "p@ss")
    assert wanted.heartbeat is None
    assert wanted.client_properties["connection_name"].endswith("-read")


def test_parameters_have_the_names_of_the_platforms_other_runtime() -> None:
    wanted = parameters("amqps://host:1234/a%2Fb?heartbeat=7&frameMax=8192&channelMax=10&unknown=1", "write")

    assert (wanted.port, wanted.virtual_host) == (1234, "a/b")
    assert (wanted.heartbeat, wanted.frame_max, wanted.channel_max) == (7, 8192, 10)
    assert wanted.ssl_options is not None


@pytest.mark.parametrize(
    "uri",
    [
        "http://user:the-password@host",
        "amqp://user:the-password@host:port",
        "amqp://user:the-password@[host",
        "amqp:user:the-password@host",
        "the-password",
        "amqp://x?heartbeat=z",
    ],
)
def test_an_unusable_uri_does_not_show_its_password(uri: str) -> None:
    with pytest.raises(TransportError) as caught:
        parameters(uri, "read")

    assert "the-password" not in str(caught.value)
    assert "ELASTICIO_AMQP_URI" in str(caught.value)
    assert caught.value.__cause__ is None


def test_settings_take_an_uri_that_is_none() -> None:
    assert Settings(amqp_uri="amqp://user:the-password@[host").secrets()
