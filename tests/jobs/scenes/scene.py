"""What a test plays a job with: the engine it finds, its message, and what has to be so once it is through.

`begin` furnishes the engine and returns the message; `good` looks at the end, whatever deaths and repeats the message
has lived through; `wrong` is a message that has to fail; `end` clears away what was furnished and what was made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from lib.sailor.message.ids import random_id
from tests.jobs.crash import Delivery
from tests.jobs.places import Place
from tests.lab.engine import LabEngine

Tree = dict[str, Any]


@dataclass
class Scene:
    """On `engine`, with attachments in `folder`; `name` is that of what the message is about."""

    key: ClassVar[str]
    keeps: ClassVar[bool] = False
    """Whether the job leaves something of its own, as it is told to."""
    changes: ClassVar[bool] = True
    """Whether the output says that something has changed."""
    refused: ClassVar[bool] = True
    """Whether a credential that may only read refuses it."""
    unsure: ClassVar[tuple[str, ...]] = ()
    """Errors of a delivery that comes again, or beside another one, where nothing proves what became of the first."""
    engine: LabEngine
    folder: Path
    name: str = field(default_factory=lambda: f"scene-{random_id()[:12]}")
    waits: bool = True
    """Whether a job that can wait for what comes of its change does so."""

    @property
    def place(self) -> Place:
        return Place(self.engine, self.folder)

    def begin(self) -> Delivery:
        """Furnish the engine and return the message."""
        raise NotImplementedError

    def good(self) -> None:
        """Fail unless the engine is as the message wants it."""

    def wrong(self) -> tuple[Delivery, str]:
        """Return a message that fails on the engine as `begin` furnished it, and the name of its error."""
        raise NotImplementedError

    def end(self) -> None:
        """Remove what was made."""

    def delivery(self, body: Tree, attachments: Any = None, **settings: Any) -> Delivery:
        settings = {"errorPolicy": "throwError", **settings}
        return Delivery(
            self.engine, self.key, body, settings, attachments=attachments or {}, folder=str(self.folder)
        )

    def ask(self, path: str) -> Any:
        return self.engine.wire.do("GET", path).json()

    def there(self, path: str) -> bool:
        return bool(self.engine.wire.ask("GET", path).status == 200)

    def state(self, container: str) -> str:
        return str(self.ask(f"/containers/{container}/json")["State"]["Status"])
