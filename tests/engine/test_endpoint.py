from __future__ import annotations

from typing import Any

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


CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = CERTIFICATE.replace("CERTIFICATE", "PRIVATE KEY")
TLS_FIELDS: list[tuple[str, dict[str, Any]]] = [
    ("tlsCa", {"ca": CERTIFICATE}),
    ("tlsCertificate", {"certificate": CERTIFICATE, "key": KEY}),
    ("tlsKey", {"key": KEY}),
    ("tlsKeyPassword", {"key_password": "hush"}),
    ("tlsVerify", {"verify": False}),
    ("tlsServerName", {"server_name": "engine.lab"}),
]


@pytest.mark.parametrize(("field", "given"), TLS_FIELDS)
def test_fault_8_24_any_tls_field_makes_tcp_speak_tls(field: str, given: dict[str, Any]) -> None:
    endpoint = Endpoint.parse("tcp://engine", **given)
    assert (endpoint.scheme, endpoint.port) == ("https", 2376)
    assert endpoint.tls is not None
    assert field in endpoint.tls.given


@pytest.mark.parametrize("address", ["http://engine:2375", "unix:///run/docker.sock", "/run/docker.sock"])
@pytest.mark.parametrize(("field", "given"), TLS_FIELDS)
def test_fault_8_24_a_tls_field_that_cannot_be_used_is_refused(
    address: str, field: str, given: dict[str, Any]
) -> None:
    with pytest.raises(BadInput, match=rf"{field}.*cannot be used.*https://.*or empty") as caught:
        Endpoint.parse(address, **given)
    assert caught.value.field == field


@pytest.mark.parametrize("address", ["tcp://engine", "http://engine", "unix://", "https://engine"])
@pytest.mark.parametrize("name", ["ca", "certificate", "key"])
def test_fault_8_24_certificates_are_checked_whatever_the_address(address: str, name: str) -> None:
    with pytest.raises(BadInput, match="in PEM form"):
        Endpoint.parse(address, **{name: "garbage"})


@pytest.mark.parametrize("address", ["tcp://engine", "http://engine", "unix://"])
def test_fault_8_24_what_an_untouched_form_holds_asks_for_nothing(address: str) -> None:
    nothing: dict[str, Any] = {
        "ca": "",
        "certificate": None,
        "key": "",
        "key_password": "",
        "server_name": "",
    }
    assert Endpoint.parse(address, verify=True, **nothing).tls is None


@pytest.mark.parametrize(
    "address",
    [
        "http://bob:canary/x@host",
        "http://bob:canary@x@host/y@z",
        "http://bob:2375/canary@host",
        "http://bob:canary#x@host",
        "http://bob:canary?x@host",
        "http://bob:canary@host:canary",
        "http://[canary@host",
        "https://canary/x@host:2376",
        "ftp://bob:canary@host",
        "tcp://bob:can%61ry\u2100@host/x@",
    ],
)
def test_fault_8_23_an_address_that_is_none_is_refused_without_being_quoted(address: str) -> None:
    with pytest.raises(BadInput) as caught:
        Endpoint.parse(address)
    assert caught.value.field == "server"
    assert "canary" not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"


def test_fault_8_23_an_at_sign_in_a_password_stays_in_it() -> None:
    endpoint = Endpoint.parse("http://u:p@ss@engine")
    assert (endpoint.host, endpoint.user_info) == ("engine", "u:p@ss")
