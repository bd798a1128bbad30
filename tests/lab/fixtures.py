"""Fixtures that hand real things to tests; nothing starts before it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from lib.local.sandbox.supervisor import SupervisorError
from tests.lab.broker import Broker, BrokerError
from tests.lab.certificates import Certificates
from tests.lab.engine import GIVEN, LabEngine
from tests.lab.newer import NewerEngines
from tests.lab.podman import PodmanError, PodmanService
from tests.lab.registry import Registry, RegistryError
from tests.lab.skipping import missing, skip_anywhere
from tests.lab.ssh_server import SshServer, SshServerError
from tests.lab.swarm import SwarmPair

MakeContainer = Callable[..., str]


@pytest.fixture(autouse=True)
def environment_restored() -> Iterator[None]:
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def engine_lab() -> Iterator[LabEngine]:
    """The engine that all tests share: Debian's 20.10 (or the one that LAB_ENGINE names)."""
    given = os.environ.get(GIVEN)
    with _needing(PrivateEngineError, LocalImageError):
        engine = LabEngine.given(given) if given else LabEngine.begin()
    yield engine
    engine.close()


@pytest.fixture
def make_container(engine_lab: LabEngine) -> Iterator[MakeContainer]:
    """`engine_lab.create`, with the containers removed after the test."""
    yield from _containers(engine_lab, engine_lab.create)


@pytest.fixture
def run_container(engine_lab: LabEngine) -> Iterator[MakeContainer]:
    """`engine_lab.run`, with the containers removed after the test."""
    yield from _containers(engine_lab, engine_lab.run)


def _containers(engine: LabEngine, create: MakeContainer) -> Iterator[MakeContainer]:
    made: list[str] = []

    def make(*arguments: Any, **settings: Any) -> str:
        made.append(create(*arguments, **settings))
        return made[-1]

    yield make
    for container in made:
        engine.remove(container)


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """The RabbitMQ node that all tests share; a test that breaks it mends it."""
    with _needing(BrokerError):
        broker = Broker()
    yield broker
    broker.close()


@pytest.fixture(scope="session")
def tls_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabEngine]:
    """An engine that wants a client certificate at `tcp_url`; `certificates` has all sorts of them."""
    certificates = Certificates.made_in(tmp_path_factory.mktemp("certificates"))
    with _needing(PrivateEngineError, LocalImageError):
        engine = LabEngine.begin(certificates=certificates)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def ssh_server() -> Iterator[SshServer]:
    """An SSH server of this machine that forwards sockets, and has a program `docker` for its user."""
    with _needing(SshServerError):
        server = SshServer(docker=True)
    yield server
    server.close()


@pytest.fixture(scope="session")
def closed_ssh_server() -> Iterator[SshServer]:
    """An SSH server that forwards nothing: `docker system dial-stdio` is the only way to a socket."""
    with _needing(SshServerError):
        server = SshServer(forwarding=False, docker=True)
    yield server
    server.close()


@pytest.fixture(scope="session")
def swarm_pair() -> Iterator[SwarmPair]:
    """Two linked engines, in no swarm; a test that forms one dissolves it."""
    with _needing(PrivateEngineError, LocalImageError, OSError):
        pair = SwarmPair.begin()
    yield pair
    pair.close()


@pytest.fixture(scope="session")
def registry(engine_lab: LabEngine) -> Iterator[Registry]:
    """An open registry beside `engine_lab`."""
    with _needing(RegistryError):
        registry = Registry(engine_lab)
    yield registry
    registry.close()


@pytest.fixture(scope="session")
def secured_registry(engine_lab: LabEngine) -> Iterator[Registry]:
    """A registry beside `engine_lab` that wants `user` and `password`."""
    with _needing(RegistryError):
        registry = Registry(engine_lab, secured=True)
    yield registry
    registry.close()


@pytest.fixture(scope="session")
def newer_engines() -> Iterator[NewerEngines]:
    """`newer_engines.engine("trixie")` and others; each is started once, or the test is skipped."""
    engines = NewerEngines()
    yield engines
    engines.close()


@pytest.fixture(scope="session")
def podman_service() -> Iterator[PodmanService]:
    """Podman's service, where podman is installed."""
    try:
        service = PodmanService()
    except (PodmanError, SupervisorError, LocalImageError) as problem:
        skip_anywhere(str(problem))
    yield service
    service.close()


@contextmanager
def _needing(*problems: type[Exception]) -> Iterator[None]:
    try:
        yield
    except problems as problem:
        missing(str(problem))
