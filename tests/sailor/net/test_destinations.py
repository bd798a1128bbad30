"""Where addresses of messages may lead (fault 8.26): judged by the addresses that a name stands for."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme

from lib.sailor.errors import RequestError, SettingsError
from lib.sailor.net.destinations import Destinations
from lib.sailor.net.fetching import fetched
from lib.sailor.settings import MANDATORY, MANDATORY_FOR_MESSAGES, Settings
from tests.lab.http_source import HttpSource, content, redirect
from tests.lab.waiting import DEADLINE
from tests.sailor.process import ROOT

REFUSED = [
    *("169.254.169.254", "169.254.170.2", "169.254.0.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376"),
    *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1"),
    *("fe80::1", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("0.0.0.0", "0", "::", "::ffff:0.0.0.0", "224.0.0.1", "255.255.255.255", "ff02::1"),
]
LET_PASS = ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "fd12::1", "8.8.8.8", "2001:db8::1"]


@pytest.mark.parametrize("host", REFUSED)
def test_link_local_and_metadata_addresses_are_refused_in_all_their_forms(host: str) -> None:
    """Fault 8.26."""
    with pytest.raises(RequestError, match="may not be asked") as caught:
        Destinations().places(host, 80)
    assert caught.value.final


@pytest.mark.parametrize("host", LET_PASS)
def test_loopback_and_private_addresses_pass_unless_the_operator_refuses_them(host: str) -> None:
    """Fault 8.26."""
    assert Destinations().places(host, 80)[0][1][:2] == (host, 80)
    strict = Destinations.read(
        "URL", {"URL_REFUSED_NETWORKS": "link-local, metadata, loopback, private, 8.8.8.8, 2001:db8::/32"}
    )
    with pytest.raises(RequestError, match="may not be asked"):
        strict.places(host, 80)


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Have the resolver of the system give these for every name; returns the names that it is asked for."""
    names: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        names.append(host)
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return names


@pytest.mark.parametrize(
    "addresses", [("169.254.169.254",), ("127.0.0.1", "169.254.169.254"), ("8.8.8.8", "fe80::1")]
)
def test_a_name_is_judged_by_every_address_that_it_stands_for(
    addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 8.26."""
    answers(monkeypatch, *addresses)
    with pytest.raises(RequestError, match="may not be asked"):
        Destinations().places("innocent.example", 80)


def test_the_address_that_was_judged_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 8.26: a name that is resolved a second time may stand for another address by then."""
    with HttpSource(content(b"abc")) as source:
        names = answers(monkeypatch, "127.0.0.1")
        exchange = fetched(f"http://innocent.example:{source.port}/x", Destinations())
        assert exchange.whole(10) == b"abc"
        exchange.close()
    assert names == ["innocent.example"]
    assert source.header("Host") == f"innocent.example:{source.port}"


def test_a_list_of_hosts_lets_no_other_pass_nor_a_redirect_to_one() -> None:
    """Fault 8.26."""
    only = Destinations.read("URL", {"URL_ALLOWED_HOSTS": "127.0.0.1, *.example.org"})
    with (
        HttpSource(content(b"other")) as other,
        HttpSource(redirect(f"http://localhost:{other.port}/")) as source,
    ):
        with pytest.raises(RequestError, match="localhost is not among"):
            fetched(source.url, only)
        assert len(source.requests) == 1
        assert other.requests == []


@pytest.mark.parametrize(
    ("host", "passes"),
    [
        *(("files.example.org", True), ("FILES.example.org.", True), ("a.b.example.org", True)),
        *(
            ("example.org", False),
            ("evilexample.org", False),
            ("example.org.evil", False),
            ("127.0.0.2", False),
        ),
    ],
)
def test_hosts_are_compared_as_names(host: str, passes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "127.0.0.1")
    only = Destinations.read("URL", {"URL_ALLOWED_HOSTS": "127.0.0.1, *.Example.org"})
    if passes:
        assert only.places(host, 80)
    else:
        with pytest.raises(RequestError, match="is not among"):
            only.places(host, 80)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("URL_REFUSED_NETWORKS", "intranet"),
        ("URL_REFUSED_NETWORKS", "10.0.0.0/99"),
        ("ATTACHMENT_REFUSED_NETWORKS", "10.0.0"),
        ("URL_MAX_BYTES", "-1"),
        ("URL_MAX_SECONDS", "-3"),
        ("ATTACHMENT_IDLE_SECONDS", "-0x5"),
        *(
            ("URL_IDLE_SECONDS", value)
            for value in ("nan", "inf", "1e3", "9" * 5000, "604801", "0", "12abc", "1_0")
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_at_the_start(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        Destinations.read(variable.partition("_")[0], {variable: value})


def test_a_step_reads_both_kinds_and_a_service_call_neither() -> None:
    names = {f"ELASTICIO_{name}": "x" for name in (*MANDATORY, *MANDATORY_FOR_MESSAGES)}
    variables = {
        "URL_MAX_BYTES": "5",
        "ATTACHMENT_ALLOWED_HOSTS": "a",
        "ELASTICIO_MESSAGE_CRYPTO_IV": "i" * 16,
    }

    step = Settings.read({**names, **variables})

    assert step.urls == Destinations(max_bytes=5)
    assert step.attachments == Destinations(hosts=("a",))
    with pytest.raises(SettingsError, match="URL_MAX_BYTES"):
        Settings.read({**names, **variables, "URL_MAX_BYTES": "-1"})
    assert Settings.read({"URL_MAX_BYTES": "-1"}, for_service=True).urls == Destinations()


def test_a_source_over_tls_has_to_be_who_it_says(tmp_path: Path) -> None:
    """The authorities are those of the system, or of SSL_CERT_FILE, and the name is that of the address."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with HttpSource(content(b"over tls"), tls=context) as source:
        with pytest.raises(RequestError, match="CERTIFICATE_VERIFY_FAILED") as caught:
            fetched(source.url, Destinations())
        assert caught.value.final
        program = "import sys; from lib.sailor.net import destinations, fetching"
        program += "; print(fetching.fetched(sys.argv[1], destinations.Destinations()).whole(10))"
        for host, told in (("127.0.0.1", "b'over tls'"), ("localhost", "CERTIFICATE_VERIFY_FAILED")):
            done = subprocess.run(
                [sys.executable, "-c", program, source.url.replace("127.0.0.1", host)],
                env={"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=DEADLINE,
                check=False,
            )
            assert told in done.stdout + done.stderr
    assert len(source.requests) == 1
