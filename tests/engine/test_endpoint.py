from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.endpoint import DEFAULT_SOCKET, Endpoint
from lib.engine.errors import BadInput
from lib.engine.version import Version


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("unix:///run/docker.sock", "unix:///run/docker.sock"),
        ("unix://", f"unix://{DEFAULT_SOCKET}"),
        ("/run/docker.sock", "unix:///run/docker.sock"),
        ("unix:///a%20b.sock", "unix:///a b.sock"),
        ("tcp://engine", "http://engine:2375"),
        ("http://engine", "http://engine:80"),
        ("http://engine:2375/", "http://engine:2375"),
        ("https://engine", "https://engine:443"),
        ("https://engine:2376/proxy/docker/", "https://engine:2376/proxy/docker"),
        ("http://[::1]:2375", "http://[::1]:2375"),
        (" http://engine:1 ", "http://engine:1"),
    ],
)
def test_addresses_in_all_forms(url: str, shown: str) -> None:
    assert str(Endpoint.parse(url)) == shown


@pytest.mark.parametrize(
    ("url", "prefix", "pin"),
    [
        ("http://docker.local/v1.33", "", Version(1, 33)),
        ("https://docker.local/proxy/v1.41/", "/proxy", Version(1, 41)),
        ("http://docker.local/v1", "/v1", None),
        ("http://docker.local/v1.33/more", "/v1.33/more", None),
    ],
)
def test_a_version_at_the_end_is_a_pin(url: str, prefix: str, pin: Version | None) -> None:
    endpoint = Endpoint.parse(url)
    assert (endpoint.prefix, endpoint.pin) == (prefix, pin)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "engine",
        "ftp://engine",
        "ssh://me@engine",
        "http://",
        "http://engine:port",
        "http://engine:99999",
        "http://engine/?a=b",
        "http://engine/#x",
        "http://[::1",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        Endpoint.parse(url)
    assert caught.value.field == "server"


@given(st.text())
def test_any_text_is_an_address_or_refused(url: str) -> None:
    try:
        found = Endpoint.parse(url).scheme
    except BadInput as fault:
        found = str(fault.field)
    assert found in ("unix", "http", "https", "server")


def test_user_and_password_of_a_proxy_are_shown_nowhere() -> None:
    endpoint = Endpoint.parse("https://me:canary@proxy:8443")
    assert endpoint.user_info == "me:canary"
    assert "canary" not in f"{endpoint} {endpoint!r}"


def test_a_certificate_needs_its_key() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    with pytest.raises(BadInput) as caught:
        Endpoint.parse("https://engine", certificate=pem)
    assert caught.value.field == "tlsKey"
    assert Endpoint.parse("tcp://engine", ca=pem).port == 2376
