"""TLS between the client and a real daemon that wants client certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.credentials import new_engine
from lib.engine import EngineError
from lib.engine.errors import BadInput, TlsRefused, Unauthorized
from tests.lab.certificates import KEY_PASSWORD
from tests.lab.engine import LabEngine

pytestmark = pytest.mark.engine


def config_for(engine: LabEngine, **changes: Any) -> dict[str, Any]:
    known = engine.certificates
    return {
        "server": "2",
        "otherServer": engine.tcp_url,
        "tlsCa": known.ca.read_text(),
        "tlsCertificate": known.client.read_text(),
        "tlsKey": known.client_key.read_text(),
        **changes,
    }


def ping(config: dict[str, Any]) -> str:
    with new_engine(config) as engine:
        return engine.get("/_ping").text


def test_certificates_pasted_as_text_open_the_engine(tls_engine: LabEngine) -> None:
    assert ping(config_for(tls_engine)) == "OK"


def test_fault_8_27_certificates_given_as_paths_are_refused(tls_engine: LabEngine) -> None:
    with pytest.raises(BadInput, match="not the name of a file"):
        ping(config_for(tls_engine, tlsCa=str(tls_engine.certificates.ca)))


def test_line_breaks_lost_in_a_form_are_put_back(tls_engine: LabEngine) -> None:
    config = config_for(tls_engine)
    for key in ("tlsCa", "tlsCertificate", "tlsKey"):
        config[key] = " ".join(config[key].split("\n"))
    assert ping(config) == "OK"


def test_tcp_with_certificates_speaks_tls(tls_engine: LabEngine) -> None:
    assert ping(config_for(tls_engine, otherServer=tls_engine.tcp_url.replace("https", "tcp"))) == "OK"


def test_an_encrypted_key_opens_with_its_password(tls_engine: LabEngine) -> None:
    locked = tls_engine.certificates.locked_key.read_text()
    assert ping(config_for(tls_engine, tlsKey=locked, tlsKeyPassword=KEY_PASSWORD)) == "OK"


def test_an_encrypted_key_without_its_password_is_told_as_such(tls_engine: LabEngine) -> None:
    locked = tls_engine.certificates.locked_key.read_text()
    with pytest.raises(BadInput, match=r"do not load as a pair.*password") as caught:
        ping(config_for(tls_engine, tlsKey=locked))
    assert caught.value.field == "tlsKey"
    assert "PRIVATE" not in str(caught.value)


def test_an_unknown_authority_is_refused(tls_engine: LabEngine) -> None:
    with pytest.raises(TlsRefused, match=r"not trusted.*tlsCa"):
        ping(config_for(tls_engine, tlsCa=tls_engine.certificates.stranger_ca.read_text()))


def test_verification_can_be_switched_off(tls_engine: LabEngine) -> None:
    assert ping(config_for(tls_engine, tlsCa=None, tlsVerify="skip")) == "OK"


def test_the_name_in_the_certificate_counts(tls_engine: LabEngine) -> None:
    assert ping(config_for(tls_engine, tlsServerName="engine.lab")) == "OK"
    with pytest.raises(TlsRefused, match="tlsServerName"):
        ping(config_for(tls_engine, tlsServerName="other.lab"))


def test_no_client_certificate_is_refused_and_the_remedy_named(tls_engine: LabEngine) -> None:
    with pytest.raises(TlsRefused, match=r"tlsCertificate .* and tlsKey"):
        ping(config_for(tls_engine, tlsCertificate=None, tlsKey=None))


def test_a_strangers_certificate_is_refused(tls_engine: LabEngine) -> None:
    known = tls_engine.certificates
    config = config_for(
        tls_engine, tlsCertificate=known.stranger.read_text(), tlsKey=known.stranger_key.read_text()
    )
    with pytest.raises(TlsRefused):
        ping(config)


def test_plain_http_to_a_tls_port_is_told_as_such(tls_engine: LabEngine) -> None:
    plain = tls_engine.tcp_url.replace("https", "http")
    with pytest.raises(TlsRefused, match="speaks TLS"):
        ping({"server": "2", "otherServer": plain})


def test_tls_to_a_plain_port_is_told_as_such(engine_lab: LabEngine, tls_engine: LabEngine) -> None:
    config = config_for(tls_engine, otherServer=engine_lab.tcp_url.replace("http:", "https:"))
    with pytest.raises(TlsRefused, match="No TLS connection"):
        ping(config)


def test_a_key_of_another_certificate_is_told_as_such(tls_engine: LabEngine) -> None:
    with pytest.raises(BadInput, match="as a pair"):
        ping(config_for(tls_engine, tlsKey=tls_engine.certificates.stranger_key.read_text()))


def test_no_fault_shows_a_key_and_none_falls_back_to_plain(tls_engine: LabEngine) -> None:
    key = Path(tls_engine.certificates.client_key).read_text()
    secret_line = key.splitlines()[2]
    for changes in ({"tlsCa": key}, {"tlsCertificate": key}, {"tlsServerName": "other.lab"}):
        with pytest.raises(EngineError) as caught:
            ping(config_for(tls_engine, **changes))
        assert not isinstance(caught.value, Unauthorized)
        assert secret_line not in repr(caught.value) + str(caught.value)
