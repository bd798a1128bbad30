"""Reads what a build, pull, push, load, import or plugin transfer reports line by line, and sums it up."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from lib.engine.answer.names import LONGEST_NAME, MOST_NAMES, Names, name_of, too_many
from lib.engine.answer.step_output import LONGEST_LINE
from lib.engine.errors import StreamFailed, shortened
from lib.engine.http.known_refusals import known_in_stream

Record = dict[str, Any]

_KEPT = 100
_SHOWN = 500
_STATUSES = 400  # the `code` of a failure is a status from here on, an exit code below
_LAYER = re.compile(r"[0-9a-f]{12,64}")
_STEP = re.compile(r"Step \d+/\d+ : ")
_IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}")
_DIGEST = re.compile(r"(?:Digest: |digest: )(\S+:[0-9a-f]{32,})")
_TAG = re.compile(
    r"(?:Successfully tagged |Loaded image: |"
    r"Status: (?:Downloaded newer image for |Image is up to date for ))(\S+)"
)
_REPOSITORY = re.compile(r"The push refers to repository \[(.+)\]")
# The classic builder colours what a command writes to stderr.
_PAINT = re.compile(r"\x1b\[(?:91|0)m")


@dataclass(frozen=True, slots=True)
class ProgressResult:
    """Ids, digests and tags in the order they appeared, without repeats: the last id is the image built.

    `layers` are {id, status, bytes}. `bytes` is their sum, as far as the engine reported it. `lines` are the last
    texts of the stream.
    """

    ids: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    layers: list[Record] = field(default_factory=list)
    bytes: int = 0
    duration_seconds: float = 0.0
    lines: list[str] = field(default_factory=list)

    def as_dict(self) -> Record:
        """Return the result as the body of a message; `id` and `digest` are the last ones, if there are any."""
        last = {"id": self.ids[-1:], "digest": self.digests[-1:]}
        return {
            **{name: found[0] for name, found in last.items() if found},
            "ids": self.ids,
            "digests": self.digests,
            "tags": self.tags,
            "layers": self.layers,
            "bytes": self.bytes,
            "durationSeconds": round(self.duration_seconds, 3),
            "lines": self.lines,
        }


class Progress:
    """Takes the records of one stream, one by one; `step` is the present build step or layer.

    Its memory is bounded by MOST_NAMES, LONGEST_NAME, LONGEST_LINE and the number of lines kept.
    """

    def __init__(self, keep: int = _KEPT, clock: Callable[[], float] = time.monotonic) -> None:
        self.step: str | None = None
        self.tell: Callable[[str], None] | None = None
        """Gets each line when it comes, as `lines` of the result has it."""
        self._ids, self._digests, self._tags = Names("ids"), Names("digests"), Names("tags")
        self._layers: dict[str, Record] = {}
        self._lines: deque[str] = deque(maxlen=keep)
        self._repository = ""
        self._clock = clock
        self._began = clock()

    def _say(self, line: str) -> None:
        self._lines.append(line)
        if self.tell:
            self.tell(line)

    def feed(self, record: Record) -> Record | None:
        """Take a record and return it as people are told it, None if it tells them nothing.

        Raises StreamFailed if it reports a failure, or if the stream names too much.
        """
        detail, text = record.get("errorDetail"), record.get("error")
        if detail or text:
            self._fail(detail if isinstance(detail, dict) else {}, text, record.get("id"))
        if isinstance(record.get("stream"), str):
            self._text(record["stream"])
        if isinstance(record.get("status"), str):
            detail = record.get("progressDetail")
            self._status(
                record["status"], name_of(record.get("id")), detail if isinstance(detail, dict) else {}
            )
        if isinstance(record.get("aux"), dict):
            self._aux(record["aux"])
        return record

    def end(self) -> None:
        """Check that the stream may end here."""

    def as_dict(self) -> Record:
        """Return the result so far as the body of a message."""
        return self.result().as_dict()

    def result(self) -> ProgressResult:
        """Return the result so far."""
        layers = list(self._layers.values())
        return ProgressResult(
            self._ids.list(),
            self._digests.list(),
            self._tags.list(),
            layers,
            sum(layer["bytes"] for layer in layers),
            self._clock() - self._began,
            list(self._lines),
        )

    def _fail(self, detail: Record, text: Any, layer: Any) -> NoReturn:
        message = str(detail.get("message") or text or "The engine gave no reason").strip()
        code = detail.get("code")
        step = name_of(layer) or self.step
        # An exit code means that a command of the build failed; its text is not a known refusal.
        row = None if isinstance(code, int) and code < _STATUSES else known_in_stream(message)
        before = "\n".join(self._lines)[-_SHOWN:].strip()
        hints = [row.hint] if row else []
        raise StreamFailed(
            f"{shortened(message)} (at {step})" if step else shortened(message),
            step=step,
            code=code if isinstance(code, int) and code >= _STATUSES else None,
            hint=". ".join([*hints, f"Before it: {before}"] if before else hints) or None,
        )

    def _text(self, text: str) -> None:
        for line in _PAINT.sub("", text).splitlines():
            line = line.rstrip()[:LONGEST_LINE]  # noqa: PLW2901
            if not line:
                continue
            self._say(line)
            if _STEP.match(line):
                self.step = line
            self._find(line)
            image = _IMAGE_ID.search(line)
            if image and (line == image[0] or line.startswith("Loaded image ID: ")):
                self._ids.add(image[0])

    def _status(self, status: str, layer: str, detail: Record) -> None:
        status = status[:LONGEST_LINE]
        if _LAYER.fullmatch(layer) and not status.startswith("Pulling from"):
            self._layer(status, layer, detail)
            return
        if status.strip():
            self._say(f"{layer}: {status}" if layer else status)
        self._find(status)
        repository = _REPOSITORY.match(status)
        if repository:
            self._repository = repository[1][:LONGEST_NAME]
        if _IMAGE_ID.fullmatch(status):  # an import reports nothing else
            self._ids.add(status)

    def _layer(self, status: str, layer: str, detail: Record) -> None:
        if layer not in self._layers and len(self._layers) >= MOST_NAMES:
            raise too_many("layers")
        status = status[:LONGEST_NAME]
        known = self._layers.setdefault(layer, {"id": layer, "status": status, "bytes": 0})
        if known["status"] != status or not detail:
            self._say(f"{layer}: {status}")
        known["status"] = status
        current = detail.get("current")
        if isinstance(current, int | float):
            known["bytes"] = max(known["bytes"], current)
        # A build that pulls its base image stays at its build step; any other transfer is at a layer.
        if self.step is None or not _STEP.match(self.step):
            self.step = f"layer {layer}"

    def _find(self, line: str) -> None:
        tag, digest = _TAG.match(line), _DIGEST.search(line)
        if tag:
            self._tags.add(tag[1])
        if digest:
            self._digests.add(digest[1])

    def _aux(self, aux: Record) -> None:
        self._ids.add(name_of(aux.get("ID")))
        self._digests.add(name_of(aux.get("Digest")))
        if tag := name_of(aux.get("Tag")):
            self._tags.add(f"{self._repository}:{tag}" if self._repository else tag)
