"""An engine with the things that the examples of docs/operations.md speak of, and the steps that are run on it."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from lib.local.sandbox.busybox_image import busybox_archive
from lib.metadata.facts import load
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import run_step
from tests.lab.engine import LabEngine
from tests.lab.registry import Registry
from tests.lab.waiting import wait_until
from tests.samples.neutral import Neutral

SERVER = """#!/bin/sh
[ "$1" != -t ] || { echo "configuration file /etc/nginx/nginx.conf test is successful" >&2; exit; }
trap "echo reload" HUP
trap "exit 0" TERM
echo start worker processes
while :; do sleep 1 & wait $!; done
"""
"""What stands in for nginx: the same files, signals and lines, as far as the examples need them."""
FILES = {
    "bin/nginx": (SERVER, 0o755),
    "etc/nginx/nginx.conf": ("events {}\n", 0o644),
    "usr/share/nginx/html/50x.html": ("<h1>Sorry</h1>\n", 0o644),
}
STREAMS = {"maxSeconds": "3", "maxItems": "2"}
SAID = "start worker processes"


class World:
    """Runs the example of an action, or another input, and keeps the neutral form of its first message."""

    def __init__(self, engine: LabEngine, registry: Registry) -> None:
        self.engine, self.registry = engine, registry
        self.examples = load().examples
        self.answers: dict[str, Any] = {}
        self._outward = {"registry.example.org": registry.address, "192.0.2.10": "127.0.0.1"}
        self._folder = tempfile.TemporaryDirectory(prefix="samples-")
        self.storage = FolderStorage(self._folder.name)
        known = {
            registry.address: "registry.example.org",
            f"{engine.folder}/data": "/var/lib/docker",
            engine.folder: "/var/run",
            f"file://{self._folder.name}": "https://storage.example.org",
        }
        self._neutral = Neutral(known)
        self.import_server()

    def run(
        self,
        key: str,
        body: Mapping[str, Any] | None = None,
        *,
        attachments: Mapping[str, Any] | None = None,
        shown: bool = True,
        **settings: Any,
    ) -> Any:
        """Run a step with the action's example, changed by `body`; return the body of its message as it came.

        A value of None takes a field out. What fails is told, and the action stays without an answer.
        """
        given = {**self.examples[key], **(body or {})}
        text = json.dumps({name: value for name, value in given.items() if value is not None})
        for there, here in self._outward.items():
            text = text.replace(there, here)
        config = {"server": "2", "otherServer": self.engine.url, "errorPolicy": "throwError", **settings}
        outcome = run_step(key, json.loads(text), config, attachments=attachments, storage=self.storage)
        if outcome.errors or not outcome.bodies:
            print(f"{key}: {[error['message'] for error in outcome.errors] or 'no message'}", file=sys.stderr)
            return {}
        if shown:
            self.answers[key] = self._neutral.of(outcome.bodies[0])
            if files := outcome.messages[0].attachments:
                self.attachments = files
        return outcome.bodies[0]

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """A call of the lab's own, for what the next example needs."""
        return self.engine.wire.do(method, path, body, **query)

    def until(self, what: str, ready: Callable[[], bool]) -> None:
        wait_until(ready, what)

    def import_server(self) -> None:
        """Make the image nginx:1.27, with a program that stands in for the real one."""
        target = io.BytesIO(busybox_archive())
        with tarfile.open(fileobj=target, mode="a") as archive:
            for name, (text, mode) in FILES.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text), mode
                archive.addfile(entry, io.BytesIO(text.encode()))
        self.ask(
            "POST",
            "/images/create",
            target.getvalue(),
            fromSrc="-",
            repo="nginx",
            tag="1.27",
            changes='CMD ["nginx", "-g", "daemon off;"]',
        )

    def close(self) -> None:
        self._folder.cleanup()
