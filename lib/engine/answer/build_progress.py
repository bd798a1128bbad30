"""Sums up the progress of a build, in one form for both builders: what all transfers tell, and steps and warnings."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol

from lib.engine.answer.build_failure import BEFORE, SessionFacts, build_failure
from lib.engine.answer.build_steps import CACHED, DONE, BuildSteps, Step
from lib.engine.answer.names import LONGEST_NAME, MOST_NAMES
from lib.engine.answer.progress import Progress, Record
from lib.engine.answer.trace import ID, Status, Warned
from lib.engine.errors import OutcomeUnknown

CLASSIC, BUILDKIT = "classic", "buildkit"
_MOST_WARNINGS = 200
_STEP = re.compile(r"(?i:step) \d+/\d+ ?: (.+)")
_USING_CACHE = "---> Using cache"
_RULE = re.compile(r"([A-Z][A-Za-z]{2,60}): ")
_AT_LINE = re.compile(r" \(line \d{1,9}\)$")
_NAMING, _NAMELESS = "naming to ", "moby-dangling@"
_EXPORTED = re.compile(r"(?:exporting|pushing) manifest (?:list )?(?:for \S{1,600}@)?(sha256:[0-9a-f]{64})")


class AskedFor(Protocol):
    """The secrets that the engine asked for."""

    def missing(self) -> list[str]:
        """Return the ids that were asked for and not given."""

    def unused(self) -> list[str]:
        """Return the ids that were given and not asked for."""


class BuildProgress(Progress):
    """Takes the records of one build.

    `image` says that a build which succeeds names an image, `secrets` knows which secrets were asked for, `session`
    tells of the session when the build fails. `ignored` are inputs that the builder overlooks, `warnings` those that
    are known before the build.
    """

    def __init__(
        self,
        *,
        image: bool = True,
        secrets: AskedFor | None = None,
        session: Callable[[], SessionFacts] = SessionFacts,
        ignored: Sequence[str] = (),
        warnings: Sequence[Record] = (),
        keep: int = 100,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(keep, clock)
        self._image = image
        self._secrets = secrets
        self._session = session
        self._ignored = list(ignored)
        self._trace: BuildSteps | None = None
        self._classic: list[Step] = []
        self._since = self._began
        self._warnings: list[Record] = list(warnings)

    def feed(self, record: Record) -> Record | None:
        """Take a record; BuildKit's are returned as `{"stream": lines}`, None if they hold no line."""
        if record.get("id") != ID:
            return super().feed(record)
        if self._trace is None:
            self._trace = BuildSteps()
        lines = []
        for item in self._trace.feed(record.get("aux")):
            if isinstance(item, str):
                self._say(item)
                lines.append(item + "\n")
            elif isinstance(item, Status):
                self._exported(item.id or item.name)
            elif isinstance(item, Warned):
                self._warned(item)
        return {"stream": "".join(lines)} if lines else None

    def end(self) -> None:
        """Check the end; raises OutcomeUnknown where BuildKit's stream ends without a result, as of a dying engine."""
        if self._trace and self._image and not self._ids.list():
            raise OutcomeUnknown(
                "The outcome is unknown: the build's stream ended without an image and without an error",
                hint="The engine may have been stopped; look whether the image is there before you repeat the call",
            )

    def as_dict(self) -> Record:
        """Return the body of a message: that of every progress, and what builds have."""
        self._classic_ended()
        steps = [step.as_dict() for step in (self._trace.shown() if self._trace else self._classic)]
        return {
            **super().as_dict(),
            "builder": BUILDKIT if self._trace else CLASSIC,
            "steps": steps,
            "cachedSteps": sum(step["status"] == CACHED for step in steps),
            "warnings": list(self._warnings),
            "ignored": self._ignored,
            "secretsMissing": self._secrets.missing() if self._secrets else [],
            "secretsUnused": self._secrets.unused() if self._secrets else [],
        }

    def _fail(self, detail: Record, text: Any, layer: Any) -> NoReturn:
        message = str(detail.get("message") or text or "The engine gave no reason").strip()
        if self._trace is None and not message.startswith(BEFORE):
            super()._fail(detail, text, layer)
        raise build_failure(message, self._trace or BuildSteps(), self._session())

    def _find(self, line: str) -> None:
        super()._find(line)
        step = _STEP.match(line)
        if step and len(self._classic) < MOST_NAMES:
            self._classic_ended()
            self._classic.append(Step(step[1][:LONGEST_NAME], len(self._classic) + 1, DONE))
            self._since = self._clock()
        elif self._classic and line.strip() == _USING_CACHE:
            self._classic[-1].status = CACHED

    def _classic_ended(self) -> None:
        if self._classic:
            self._classic[-1].seconds = self._clock() - self._since

    def _exported(self, text: str) -> None:
        if text.startswith(_NAMING):
            name = text.removeprefix(_NAMING).removesuffix(" done")
            if not name.startswith(_NAMELESS):  # so the containerd image store keeps an image without a name
                self._tags.add(name.removeprefix("docker.io/").removeprefix("library/"))
        elif found := _EXPORTED.match(text):
            self._digests.add(found[1])

    def _warned(self, item: Warned) -> None:
        if len(self._warnings) >= _MOST_WARNINGS:
            return
        text = _AT_LINE.sub("", item.short[: 2 * LONGEST_NAME])
        rule = _RULE.match(text)
        self._warnings.append(
            {
                "text": text[rule.end() :] if rule else text,
                "rule": rule[1] if rule else "",
                "line": item.line,
                "file": item.file[:LONGEST_NAME],
                "url": item.url[:LONGEST_NAME],
            }
        )
