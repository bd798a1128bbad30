"""Fixtures that hand real things to tests; nothing starts before it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lib.local.local_image import LocalImageError
from lib.local.private_engine import PrivateEngineError
from tests.lab.broker import Broker, BrokerError
from tests.lab.engine import GIVEN, LabEngine
from tests.lab.need import missing

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
    try:
        given = os.environ.get(GIVEN)
        engine = LabEngine(None, given, given) if given else LabEngine.begin()
    except (PrivateEngineError, LocalImageError) as problem:
        missing(str(problem))
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
    try:
        broker = Broker()
    except BrokerError as problem:
        missing(str(problem))
    yield broker
    broker.close()
