"""Polls a trigger as a platform does: calls its process, keeps what it emits and the snapshot it leaves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from lib.sailor.message import Message
from lib.sailor.secrets.masking import Secrets
from lib.sailor.transport import StateStore


class Killed(BaseException):
    """The step was ended from outside; nothing after this point happens."""


@dataclass
class Emitted:
    """The emitter of one poll; `dies_after` counts the emissions (snapshots too) that still get through."""

    messages: list[Message] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    dies_after: int | None = None
    room: int = 6_000_000
    """Bytes that the body of one message may have."""

    def _pass(self) -> None:
        if self.dies_after is not None:
            if self.dies_after == 0:
                raise Killed
            self.dies_after -= 1

    def data(self, message: Message) -> None:
        self._pass()
        json.dumps(message.payload())
        self.messages.append(message)

    def error(self, error: BaseException) -> None:
        self._pass()
        self.errors.append(str(error))

    def snapshot(self, snapshot: dict[str, Any]) -> None:
        self._pass()
        self.snapshots.append(json.loads(json.dumps(snapshot)))

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [message.body for message in self.messages]

    @property
    def ids(self) -> list[str | None]:
        return [message.id for message in self.messages]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [body for body in self.bodies if body.get("kind") == kind]


@dataclass
class Lines:
    """What was logged."""

    lines: list[str] = field(default_factory=list)
    secrets: Secrets = field(default_factory=Secrets)

    def debug(self, msg: object, **fields: Any) -> None:
        self.lines.append(f"debug {msg} {fields}")

    def info(self, msg: object, **fields: Any) -> None:
        self.lines.append(f"info {msg} {fields}")

    def warning(self, msg: object, **fields: Any) -> None:
        self.lines.append(f"warning {msg} {fields}")


@dataclass
class Surroundings:
    """The part of the step's context that triggers use."""

    emit: Emitted
    logger: Lines = field(default_factory=Lines)
    cancelled: threading.Event = field(default_factory=threading.Event)
    states: StateStore | None = None


@dataclass
class PollHarness:
    """One trigger step of one flow: `poll()` runs it once with the snapshot of the last run."""

    module: str
    config: dict[str, Any]
    snapshot: Any = field(default_factory=dict)
    log: Lines = field(default_factory=Lines)
    cancelled: threading.Event = field(default_factory=threading.Event)
    room: int = 6_000_000
    states: StateStore | None = None
    telling: Emitted = field(default_factory=Emitted)
    """What the last poll, or the one that goes on, has emitted."""
    all: list[Message] = field(default_factory=list)
    """What all polls and replays have emitted."""
    _began: Any = None
    _given: dict[str, Any] = field(default_factory=dict)

    def poll(self, *, dies_after: int | None = None, **config: Any) -> Emitted:
        """Run the step; a kill leaves the snapshot that had got through."""
        self._began, self._given = self.snapshot, config
        emitted = self.telling = Emitted(dies_after=dies_after, room=self.room)
        try:
            process(self.module)(
                Surroundings(emitted, self.log, self.cancelled, self.states),
                Message(),
                {**self.config, **config},
                self.snapshot,
            )
        except Killed:
            pass
        finally:
            self.all += emitted.messages
            if emitted.snapshots:
                self.snapshot = emitted.snapshots[-1]
        return emitted

    def replay(self) -> Emitted:
        """Poll once more from where the last poll began, as after a kill that let no snapshot through."""
        again = replace(self, snapshot=self._began, telling=Emitted(), all=[])
        emitted = again.poll(**self._given)
        self.all += emitted.messages
        return emitted

    def told(self, what: Callable[[dict[str, Any]], Hashable]) -> list[tuple[Hashable, str]]:
        """(what it says, its id) of all messages but gaps and warnings; they have ids."""
        return [
            (what(message.body), str(message.id))
            for message in self.all
            if message.body.get("kind") not in ("gap", "warning") and not message.body.get("sample")
        ]

    @property
    def gap(self) -> str:
        """The reasons of the gaps and warnings so far."""
        kinds = ("gap", "warning")
        reasons = [message.body["reason"] for message in self.all if message.body.get("kind") in kinds]
        return ", ".join(dict.fromkeys(reasons))


def process(module: str) -> Any:
    """The function that the runtime would call for a trigger file."""
    loaded = import_module(f"triggers.{module}")
    for value in vars(loaded).values():
        declared = getattr(value, "declared", None)
        if declared is not None:
            return declared.process
    return loaded.process


def size(snapshot: Mapping[str, Any]) -> int:
    """Bytes of a snapshot on the wire."""
    return len(json.dumps(snapshot, separators=(",", ":")).encode())
