from __future__ import annotations

import ssl

import pytest

from tests.lab.certificates import KEY_PASSWORD
from tests.lab.engine import LabEngine
from tests.lab.wire import Wire


def test_a_client_with_its_certificate_is_served(tls_engine: LabEngine) -> None:
    known = tls_engine.certificates
    context = ssl.create_default_context(cafile=known.ca)
    context.load_cert_chain(known.client, known.locked_key, KEY_PASSWORD)
    assert Wire(tls_engine.tcp_url, context=context).do("GET", "/_ping").body == b"OK"


def test_a_stranger_is_refused(tls_engine: LabEngine) -> None:
    known = tls_engine.certificates
    context = ssl.create_default_context(cafile=known.ca)
    context.load_cert_chain(known.stranger, known.stranger_key)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Wire(tls_engine.tcp_url, context=context).ask("GET", "/_ping")


def test_a_client_that_trusts_another_authority_does_not_talk_to_the_engine(tls_engine: LabEngine) -> None:
    context = ssl.create_default_context(cafile=tls_engine.certificates.stranger_ca)
    with pytest.raises(ssl.SSLCertVerificationError):
        Wire(tls_engine.tcp_url, context=context).ask("GET", "/_ping")
