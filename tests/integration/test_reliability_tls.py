"""What is left of the TLS matrix: certificates whose time is over, the two versions, connections lost in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import TLSVersion
from typing import Any

import pytest
import trustme

from actions.containers import container_attach
from lib.action.output.answer import messages
from lib.action.settings import StepSettings
from lib.credentials import new_engine
from lib.engine.errors import TlsRefused, Unreachable
from lib.engine.request.upload import Upload
from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from tests.actions.stepping import context_alone
from tests.integration.test_tls import config_for, ping
from tests.lab.certificates import NAMES, Certificates
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.skipping import missing

pytestmark = pytest.mark.engine

VERSIONS = [TLSVersion.TLSv1_2, TLSVersion.TLSv1_3]


def over(authority: trustme.CA, *names: str) -> trustme.LeafCert:
    """A certificate whose time ended yesterday."""
    return authority.issue_cert(*names, not_after=datetime.now(UTC) - timedelta(days=1))


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabEngine]:
    """An engine whose own certificate is over, and (`client`) a client's that is over too."""
    folder = tmp_path_factory.mktemp("expired")
    authority = trustme.CA()
    pairs = {"server": over(authority, *NAMES), "client": over(authority, "client.lab")}
    files: dict[str, Path] = {"ca": folder / "ca.pem"}
    authority.cert_pem.write_to_path(files["ca"])
    for name, pair in pairs.items():
        files[name], files[f"{name}_key"] = folder / f"{name}.pem", folder / f"{name}_key.pem"
        pair.cert_chain_pems[0].write_to_path(files[name])
        pair.private_key_pem.write_to_path(files[f"{name}_key"])
    certificates = replace(Certificates.made_in(tmp_path_factory.mktemp("others")), **files)
    try:
        engine = LabEngine.begin(certificates=certificates)
    except (PrivateEngineError, LocalImageError) as problem:
        missing(str(problem))
    yield engine
    engine.close()


def test_an_engine_whose_certificate_is_over_is_refused(expired: LabEngine) -> None:
    with pytest.raises(TlsRefused, match=r"not trusted: certificate has expired") as caught:
        ping(config_for(expired))
    assert not caught.value.retriable


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_whose_certificate_is_over_is_refused(expired: LabEngine, version: TLSVersion) -> None:
    with new_engine(config_for(expired, tlsVerify="skip")) as engine:
        spoken(engine, version)
        with pytest.raises(TlsRefused, match=r"tlsCertificate .* and tlsKey .*not over"):
            engine.version  # noqa: B018


def spoken(engine: Any, version: TLSVersion) -> None:
    context = engine.sender.adapter.context
    context.maximum_version = context.minimum_version = version


@pytest.mark.parametrize("version", VERSIONS)
def test_both_versions_carry_calls_and_conversations(tls_engine: LabEngine, version: TLSVersion) -> None:
    container = tls_engine.run(["sh", "-c", "cat; exit 3"], OpenStdin=True, StdinOnce=True)
    with new_engine(config_for(tls_engine)) as engine:
        spoken(engine, version)
        assert engine.get("/_ping").text == "OK"
        answer = container_attach(engine, {"id": container, "input": Upload([b"x" * 100_000] * 10)})
        (message,) = messages(answer, StepSettings(), context_alone())
    assert len(message.body.parse()["stdout"]) == 1_000_000
    assert message.body.parse()["exitCode"] == 3
    tls_engine.remove(container)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_both_versions_refuse_who_is_not_known(tls_engine: LabEngine, version: TLSVersion, who: str) -> None:
    known = tls_engine.certificates
    changes: dict[str, Any] = {"tlsCertificate": None, "tlsKey": None}
    if who == "stranger":
        changes = {"tlsCertificate": known.stranger.read_text(), "tlsKey": known.stranger_key.read_text()}
    with new_engine(config_for(tls_engine, **changes)) as engine:
        spoken(engine, version)
        with pytest.raises(TlsRefused):
            engine.version  # noqa: B018


@pytest.fixture
def port(tls_engine: LabEngine) -> Iterator[FaultyProxy]:
    host, _, port = tls_engine.tcp_url.removeprefix("https://").partition(":")
    with FaultyProxy((host, int(port))) as cut:
        yield cut


def through(port: FaultyProxy, engine: LabEngine) -> dict[str, Any]:
    return config_for(engine, otherServer=f"https://127.0.0.1:{port.port}")


@pytest.mark.parametrize("ending", ["reset", "end"])
@pytest.mark.parametrize("size", [0, 100, 1000])
def test_a_handshake_that_is_cut_may_be_tried_again(
    port: FaultyProxy, tls_engine: LabEngine, size: int, ending: str
) -> None:
    port.answers.cut_after(size, clean=ending == "end")
    with new_engine(through(port, tls_engine)) as engine, pytest.raises(Unreachable) as caught:
        engine.version  # noqa: B018
    assert caught.value.retriable
    assert not isinstance(caught.value, TlsRefused)
    port.answers.cut_after(size, clean=ending == "end", once=True)
    assert ping(through(port, tls_engine)) == "OK"


def test_a_handshake_that_nobody_answers_ends_in_time(port: FaultyProxy, tls_engine: LabEngine) -> None:
    port.freeze()
    with new_engine(through(port, tls_engine)) as engine:
        engine.sender.adapter.connect_timeout = 0.2
        with pytest.raises(Unreachable, match="no answer in time") as caught:
            engine.version  # noqa: B018
    assert caught.value.retriable
