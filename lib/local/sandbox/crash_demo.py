"""The container that crashes in the example: makes an image, starts the container, removes both."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from lib.engine import Engine
from lib.engine.errors import NotFound
from lib.local.output.emission import Output
from lib.local.sandbox.local_image import import_local_image
from lib.sailor.message.ids import random_id

EXIT_CODE = 3
LAST_LINE = "Giving up: the database does not answer"
_LINES = ("Starting the shop", "Connecting to the database", LAST_LINE)


class CrashDemo:
    """A context manager that makes the image, starts a container that crashes on `crash()`, and removes both.

    All methods raise EngineError.
    """

    def __init__(self, engine: Engine, output: Output) -> None:
        self._engine = engine
        self._output = output
        self.container = f"crash-example-{random_id()[:8]}"
        self.image = f"{self.container}:local"

    def __enter__(self) -> Self:
        self._output.note(f"making the image {self.image} (no registry is needed)")
        import_local_image(self._engine, self.container, "local")
        return self

    def crash(self) -> None:
        """Start a container that writes some lines and ends with exit code EXIT_CODE."""
        self._output.note(f"starting the container {self.container}, which will crash")
        says = "; ".join(f"echo '{line}'" for line in _LINES)
        body = {
            "Image": self.image,
            "Cmd": ["sh", "-c", f"{says}; exit {EXIT_CODE}"],
            "HostConfig": {"NetworkMode": "none"},
        }
        self._engine.post("/containers/create", {"name": self.container}, query=("name",), body=body)
        self._engine.post("/containers/{id}/start", {"id": self.container})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._output.note("removing the container and the image")
        for path, fields, query in (
            ("/containers/{id}", {"id": self.container, "force": True, "v": True}, ("force", "v")),
            ("/images/{+name}", {"name": self.image, "force": True}, ("force",)),
        ):
            try:
                self._engine.delete(path, fields, query=query)
            except NotFound:
                continue  # it was not made before the run ended
