"""The broker behind TLS (`amqps://`): whom the step trusts, what it shows, and that nothing else is different."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from lib.sailor.amqp.parameters import parameters
from lib.sailor.errors import TransportError
from tests.lab.broker import Broker
from tests.lab.certificates import Certificates
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.waiting import wait_until
from tests.sailor.step_harness import StepHarness

SIZE = 3_000_000


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.made_in(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def tls_broker(certificates: Certificates) -> Iterator[Broker]:
    broker = Broker(certificates)
    yield broker
    broker.close()


@pytest.fixture
def stage(tls_broker: Broker) -> Iterator[StepHarness]:
    with StepHarness(tls_broker.uri) as stage:
        yield stage


@pytest.fixture
def shown(certificates: Certificates) -> dict[str, str]:
    """The parameters with which the broker is content."""
    return {"certfile": str(certificates.client), "keyfile": str(certificates.client_key)}


def address(port: int, **query: str) -> str:
    return f"amqps://guest:guest@127.0.0.1:{port}/%2F?{urlencode(query)}"


def test_messages_of_any_size_pass_and_a_lost_connection_comes_back(
    stage: StepHarness, tls_broker: Broker, certificates: Certificates, shown: dict[str, str]
) -> None:
    with FaultyProxy(("127.0.0.1", tls_broker.tls_port)) as cut:
        uri = address(cut.port, cacertfile=str(certificates.ca), **shown)
        process = stage.start(amqp_uri=uri, amqp_reconnect_timeout="10", rabbitmq_prefetch_sailor="5")
        stage.do("sized", size=SIZE, padding="x" * SIZE)
        for n in range(20):
            stage.do("several", n=1, which=n)
        sizes = sorted(len(got.raw) for got in stage.all("data", 21))
        assert sizes[-1] > SIZE > sizes[-2]

        cut.reset()
        process.wait_message("is back")
        stage.do("echo", after=True)

        # What was confirmed just when the connection went may come twice.
        bodies = iter(lambda: stage.take("data").payload["body"], None)
        assert next(body for body in bodies if "echo" in body)["echo"]["after"]
        wait_until(lambda: tls_broker.depth(stage.wires.name("in")) == 0, "the inputs to be acknowledged")
        stage.settled()


def test_the_systems_authorities_are_trusted(
    stage: StepHarness, tls_broker: Broker, certificates: Certificates, shown: dict[str, str]
) -> None:
    stage.start(amqp_uri=address(tls_broker.tls_port, **shown), SSL_CERT_FILE=str(certificates.ca))
    stage.do("echo")

    assert stage.take("data")


def test_a_broker_of_another_authority_is_refused(
    stage: StepHarness, tls_broker: Broker, certificates: Certificates, shown: dict[str, str]
) -> None:
    uri = address(tls_broker.tls_port, cacertfile=str(certificates.stranger_ca), **shown)
    process = stage.start(ready=False, amqp_uri=uri, amqp_reconnect_timeout="1")

    line = process.wait_message("putOutToSea.catch")
    assert "certificate verify failed" in line["err"]["message"]
    assert "cacertfile in ELASTICIO_AMQP_URI" in line["err"]["message"]
    assert process.exit_code() == 1


def test_a_broker_of_another_name_is_refused(
    stage: StepHarness, tls_broker: Broker, certificates: Certificates, shown: dict[str, str]
) -> None:
    uri = address(
        tls_broker.tls_port, cacertfile=str(certificates.ca), server_name_indication="other.lab", **shown
    )
    process = stage.start(ready=False, amqp_uri=uri, amqp_reconnect_timeout="1")

    line = process.wait_message("putOutToSea.catch")
    assert "other.lab" in line["err"]["message"]
    assert process.exit_code() == 1


def test_a_broker_that_refuses_the_step_says_so(
    stage: StepHarness, tls_broker: Broker, certificates: Certificates
) -> None:
    uri = address(tls_broker.tls_port, cacertfile=str(certificates.ca))
    process = stage.start(ready=False, amqp_uri=uri, amqp_reconnect_timeout="1")

    line = process.wait_message("putOutToSea.catch")
    assert "certfile and keyfile in ELASTICIO_AMQP_URI" in line["err"]["message"]
    assert process.exit_code() == 1


def test_nobody_is_asked_for_a_certificate_where_the_address_says_so(
    stage: StepHarness, tls_broker: Broker, certificates: Certificates, shown: dict[str, str]
) -> None:
    stage.start(amqp_uri=address(tls_broker.tls_port, verify="verify_none", **shown))
    stage.do("echo")

    assert stage.take("data")


def test_files_that_cannot_be_used_are_named(certificates: Certificates) -> None:
    key, locked = str(certificates.stranger_key), str(certificates.locked_key)
    client = str(certificates.client)
    for query, text in (
        ({"cacertfile": "/nowhere.pem"}, "cacertfile .*/nowhere.pem"),
        ({"cacertfile": key}, "cacertfile"),
        ({"certfile": client, "keyfile": key}, "certfile and keyfile .*client.pem.*stranger_key.pem"),
        ({"certfile": client, "keyfile": locked}, "password"),
        ({"verify": "verify_some"}, "verify_peer or verify_none"),
    ):
        with pytest.raises(TransportError, match=text) as caught:
            parameters(address(1, **query), "read")
        assert "guest" not in str(caught.value)


def test_the_port_of_amqps() -> None:
    assert parameters("amqps://u:p@broker.lab", "read").port == 5671
    assert parameters("amqps://u:p@broker.lab:", "read").port == 5671
    assert parameters("amqps://u:p@[::1]/x", "read").port == 5671
    assert parameters("amqps://u:p@broker.lab:1234", "read").port == 1234
    assert parameters("amqp://u:p@broker.lab", "read").port == 5672
