"""The faster connection stands on inner names of the client library; without them its own connection serves."""

from __future__ import annotations

from pathlib import Path

import pika
import pytest
from pika.adapters.utils import io_services_utils

from lib.sailor.amqp.pika_connection import INNER_NAMES, Connection, connection_class
from tests.sailor.step_harness import StepHarness


def test_the_library_that_is_installed_has_the_faster_one() -> None:
    assert connection_class() is Connection


def test_another_version_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pika, "__version__", "1.4.5")

    assert connection_class() is pika.SelectConnection


@pytest.mark.parametrize("name", ["_MAX_RECV_BYTES", "_MAX_CONSUME_BYTES"])
def test_a_library_without_an_inner_name_has_its_own(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert name in INNER_NAMES
    owner = io_services_utils._AsyncPlaintextTransport
    monkeypatch.delattr(next(one for one in owner.__mro__ if name in vars(one)), name)

    assert connection_class() is pika.SelectConnection


def test_a_library_without_its_transport_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(io_services_utils, "_AsyncPlaintextTransport")

    assert connection_class() is pika.SelectConnection


def test_a_step_works_on_the_librarys_own_connection(stage: StepHarness, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import pika\npika.__version__ = '9.9.9'\n")
    stage.start(PYTHONPATH=str(tmp_path), rabbitmq_prefetch_sailor="5", data_rate_limit="1000")
    for n in range(30):
        stage.do("sized", size=200_000 if n == 7 else 10)

    assert max(len(got.raw) for got in stage.all("data", 30)) > 200_000
    stage.settled()
