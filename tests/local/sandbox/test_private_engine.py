from __future__ import annotations

import os

import pytest

from lib.local.sandbox.private_engine import PrivateEngine, PrivateEngineError, private_engine
from tests.lab.engine import LabEngine
from tests.lab.wire import Wire


def test_a_private_engine_answers_and_is_gone_afterwards(engine_lab: LabEngine) -> None:
    with private_engine() as engine:
        assert Wire(engine.url).do("GET", "/_ping").body == b"OK"
    assert not os.path.exists(engine.supervisor.folder)


def test_its_data_and_name_survive_a_stop_and_a_start(engine_lab: LabEngine) -> None:
    with private_engine() as engine:
        wire = Wire(engine.url)
        wire.do("POST", "/volumes/create", {"Name": "kept"})
        engine.stop()
        engine.start()
        assert wire.do("GET", "/volumes/kept").json()["Name"] == "kept"


def test_without_dockerd_the_error_says_what_to_install() -> None:
    with pytest.raises(PrivateEngineError, match=r"install the package docker\.io, or set DOCKER_HOST"):
        PrivateEngine(environment={"PATH": "/nonexistent"})


def test_an_engine_that_does_not_start_gives_its_last_words(engine_lab: LabEngine) -> None:
    with pytest.raises(PrivateEngineError, match="storage-driver"):
        PrivateEngine(daemon={"storage-driver": 7})
