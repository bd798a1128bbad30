"""What the tests of reliability share: steps whose way to a real engine goes through a port that misbehaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lib.credentials import open_engine
from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import Outcome, forget_engines, run_step
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.skipping import missing

__all__ = ["Way", "steps_forgotten", "throwaway_engine", "way"]


@dataclass
class Way:
    """Steps that reach `lab` at `url`, through `cut` where there is one."""

    lab: LabEngine
    url: str
    folder: Path
    cut: FaultyProxy | None = None
    credential: Mapping[str, str] = field(default_factory=dict)

    @property
    def storage(self) -> FolderStorage:
        return FolderStorage(str(self.folder))

    @property
    def port(self) -> FaultyProxy:
        assert self.cut is not None
        return self.cut

    def run(
        self, key: str, body: Any = None, *, attachments: Mapping[str, bytes] | None = None, **settings: Any
    ) -> Outcome:
        """One message through the step of an operation; `attachments` are their contents."""
        stored = {
            name: self.storage.store([content], content_type="application/octet-stream")
            for name, content in (attachments or {}).items()
        }
        config = {"server": "2", "otherServer": self.url, **self.credential, **settings}
        return run_step(key, body or {}, config, attachments=stored, storage=self.storage)

    def do(self, key: str, body: Any = None, **options: Any) -> Any:
        """The body of the one message that the step emits."""
        outcome = self.run(key, body, **options)
        assert not outcome.errors, (key, outcome.errors)
        assert not outcome.rebounds, (key, outcome.rebounds)
        assert len(outcome.messages) == 1, (key, outcome.bodies)
        return outcome.bodies[0]

    def fails(self, key: str, body: Any = None, **options: Any) -> tuple[str, str]:
        """Class and text of the error that the step ends with, having emitted nothing."""
        outcome = self.run(key, body, **options)
        assert outcome.messages == [], (key, outcome.bodies)
        assert outcome.rebounds == [], (key, outcome.rebounds)
        assert len(outcome.errors) == 1
        return outcome.errors[0]["name"], outcome.errors[0]["message"]

    def warm(self) -> None:
        """Let the engine be known and forget its connections: the next call is the one that is meant."""
        config = {"server": "2", "otherServer": self.url, **self.credential}
        engine = open_engine(config)
        engine.version  # noqa: B018 - asks for it
        engine.close()

    def content(self, attachment: Mapping[str, Any]) -> bytes:
        with self.storage.open(attachment) as blob:
            return b"".join(blob.chunks())


@pytest.fixture
def way(engine_lab: LabEngine, tmp_path: Path) -> Iterator[Way]:
    """To the engine that all share, through a port of the test's own."""
    with FaultyProxy(engine_lab.socket) as cut:
        way = Way(engine_lab, f"http://127.0.0.1:{cut.port}", tmp_path, cut)
        way.warm()
        yield way


@pytest.fixture(autouse=True)
def steps_forgotten() -> Iterator[None]:
    """Close the connections that are kept for the next message."""
    yield
    forget_engines()


@pytest.fixture
def throwaway_engine() -> Iterator[LabEngine]:
    """An engine for one test, to be stopped or killed."""
    try:
        engine = LabEngine.begin()
    except (PrivateEngineError, LocalImageError) as problem:
        missing(str(problem))
    yield engine
    engine.close()
