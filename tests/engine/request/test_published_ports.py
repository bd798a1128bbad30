"""Published ports that an engine would open to the world, or not at all (fault 8.13)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput
from lib.engine.request.published_ports import exposed, is_address, published


def body(host_ip: Any, port: str = "80/tcp") -> dict[str, Any]:
    return {
        "ExposedPorts": {"80/tcp": {}},
        "HostConfig": {"PortBindings": {port: [{"HostIp": host_ip, "HostPort": "8080"}]}},
    }


@pytest.mark.parametrize(
    ("given_ip", "meant"),
    [
        ("localhost", "Write 127.0.0.1"),
        ("LOCALHOST", "Write 127.0.0.1"),
        ("[::1]", "Write ::1"),
        ("[::1]:8080", "Write ::1"),
        (" 127.0.0.1", "Write 127.0.0.1"),
        ("127.0.0.1\n", "Write 127.0.0.1"),
        ("127.0.0.1:8080", "Write 127.0.0.1"),
        ("127.0.0.1/32", "Write 127.0.0.1"),
        ("http://127.0.0.1/", "Write 127.0.0.1"),
        ("127.1", "Write 127.0.0.1"),
        ("127.0.0.01", "Write 127.0.0.1"),
        ("fe80::1%eth0", "Write fe80::1"),
        ("ip6-localhost", "Write ::1"),
        ("*", "Write 0.0.0.0"),
        ("engine.example.org", "looks no names up"),
        ("300.1.1.1", "looks no names up"),
        ("x" * 5000, "looks no names up"),
    ],
)
def test_what_is_no_address_is_refused_with_the_one_that_was_meant(given_ip: str, meant: str) -> None:
    """Fault 8.13."""
    with pytest.raises(BadInput) as caught:
        published(body(given_ip))
    assert caught.value.field == "requestBody.HostConfig.PortBindings.80/tcp[0].HostIp"
    assert meant in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("given_ip", ["", None, "127.0.0.1", "0.0.0.0", "::", "::1", "::ffff:10.0.0.1"])
def test_addresses_and_nothing_pass(given_ip: Any) -> None:
    """Fault 8.13."""
    assert published(body(given_ip)) == (body(given_ip), [])


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """Fault 8.13: nothing gets through that an engine would read as "all addresses" but the empty text."""
    if text == "" or is_address(text):
        published(body(text))
    else:
        with pytest.raises(BadInput):
            published(body(text))


def test_a_port_that_is_bound_is_exposed_and_a_warning_says_so() -> None:
    """Fault 8.13."""
    binding = [{"HostPort": "8080"}]
    tree, (warning,) = published({"HostConfig": {"PortBindings": {"80": binding, "53/UDP": binding}}})
    assert tree["ExposedPorts"] == {"80/tcp": {}, "53/udp": {}}
    assert tree["HostConfig"]["PortBindings"] == {"80/tcp": binding, "53/udp": binding}
    assert "80/tcp, 53/udp added" in warning


def test_keys_of_both_places_come_to_the_same() -> None:
    """Fault 8.13: "80" exposed and "80/tcp" bound would publish nothing."""
    given_body = {"ExposedPorts": {"80": {}}, "HostConfig": {"PortBindings": {"80/tcp": [{}]}}}
    assert published(given_body) == (
        {"ExposedPorts": {"80/tcp": {}}, "HostConfig": {"PortBindings": {"80/tcp": [{}]}}},
        [],
    )
    assert exposed({"ExposedPorts": {"80": {}}, "Cmd": ["x"]}) == {
        "ExposedPorts": {"80/tcp": {}},
        "Cmd": ["x"],
    }


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("tcp/80", '"80/tcp"'),
        ("tcp:80", '"80/tcp"'),
        ("8080:80", "HostPort"),
        ("127.0.0.1:8080:80/tcp", "HostPort"),
        ("80-90/tcp", "one key for each port"),
        ("http", "80/tcp"),
        ("80/http", "80/tcp"),
        ("0/tcp", "80/tcp"),
        ("65536/tcp", "80/tcp"),
        ("", "80/tcp"),
    ],
)
@pytest.mark.parametrize("place", ["ExposedPorts", "HostConfig.PortBindings"])
def test_a_key_that_is_no_port_is_refused(key: str, hint: str, place: str) -> None:
    """Fault 8.13."""
    ports: dict[str, Any] = {key: {}} if place == "ExposedPorts" else {"PortBindings": {key: []}}
    with pytest.raises(BadInput) as caught:
        published({place.partition(".")[0]: ports})
    assert caught.value.field == f"requestBody.{place}"
    assert hint in str(caught.value)


def test_one_port_in_two_spellings_is_refused() -> None:
    """Fault 8.13."""
    with pytest.raises(BadInput, match="80/tcp is there twice"):
        published({"HostConfig": {"PortBindings": {"80": [], "80/tcp": []}}})


@pytest.mark.parametrize("port", ["8080/tcp", "127.0.0.1:8080", "http", "70000", "90-80", "-1"])
def test_what_is_no_port_of_the_host_is_refused(port: str) -> None:
    """Fault 8.13."""
    with pytest.raises(BadInput) as caught:
        published({"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": port}]}}})
    assert caught.value.field == "requestBody.HostConfig.PortBindings.80/tcp[0].HostPort"


@pytest.mark.parametrize("odd", [{}, {"HostConfig": None}, {"HostConfig": {"PortBindings": None}}])
def test_a_body_without_ports_stays_as_it_is(odd: dict[str, Any]) -> None:
    assert published(odd) == (odd, [])
