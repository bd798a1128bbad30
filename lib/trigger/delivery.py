"""Emits findings as messages: one message for each, or pages with many.

The id of a message is a hash of the finding's identity: a repeat has the same id, other findings have others. In a page
each result has the id that it would have alone (`messageId`), and the page's id is a hash of these. A repeat after a
crash can find more; then the page has another id, and its results keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lib import jsontext
from lib.config.form import Form, choice
from lib.sailor.errors import EmissionTooLarge
from lib.sailor.message import Message
from lib.sailor.message.ids import derived_id
from lib.sailor.step.context import Context
from lib.trigger.poll import Finding

AROUND = 100
"""Bytes of a page beside its results."""
BETWEEN = 100
"""Bytes of a result beside its body: its id and a comma."""
LEAST_ROOM = 2000
"""Lower bound of the room for a body in bytes; below it the poll fails, instead of leaving out nearly everything."""


class TriggerNotice(Exception):
    """A gap or warning, if the step emits notices as errors of the flow."""


@dataclass(frozen=True)
class Delivery:
    """Emits the findings of one trigger; `key` is the trigger's, `engine` the mark of the engine: both go into ids."""

    context: Context
    key: str
    engine: str
    config: Form

    def emit(self, findings: Sequence[Finding]) -> None:
        """Emit findings in order; return when every message is confirmed. Raises SailorError.

        Below LEAST_ROOM bytes of room it raises EmissionTooLarge.
        """
        room = self.context.emit.room - AROUND - BETWEEN
        if findings and room < LEAST_ROOM:
            raise EmissionTooLarge(f"Messages have no room for findings: {room} bytes are left for a body")
        sized = [self._fitting(finding, room) for finding in findings]
        if choice(self.config, "notices", ("emit", "emitError")) == "emitError":
            for finding, _ in sized:
                if finding.notice:
                    self.context.emit.error(TriggerNotice(finding.body["message"]))
            sized = [(finding, size) for finding, size in sized if not finding.notice]
        if choice(self.config, "emitBehavior", ("emitIndividually", "emitAll")) == "emitIndividually":
            for finding, _ in sized:
                self._send(finding.body, self._id(finding.identity))
            return
        for page in self._pages(sized):
            ids = [self._id(finding.identity) for finding in page]
            results = [{**finding.body, "messageId": name} for finding, name in zip(page, ids, strict=True)]
            self._send({"results": results}, self._id("page", *ids))

    def _pages(self, sized: Sequence[tuple[Finding, int]]) -> Iterator[list[Finding]]:
        """Yield lists of findings, each as long as one message has room for."""
        page: list[Finding] = []
        room = left = self.context.emit.room - AROUND
        for finding, size in sized:
            if page and size + BETWEEN > left:
                yield page
                page, left = [], room
            page.append(finding)
            left -= size + BETWEEN
        if page:
            yield page

    def _fitting(self, finding: Finding, room: int) -> tuple[Finding, int]:
        """Return the finding to emit and the bytes of its body; a finding that fits into no message becomes a warning.

        An error instead would stop all later findings.
        """
        if finding.notice:  # it may repeat an error text of others, with a login in it
            finding = replace(finding, body=self.context.logger.secrets.masked(finding.body))
        size = len(jsontext.encode(finding.body))
        if size <= room:
            return finding, size
        text = f"Something of {size} bytes was found, and a message has room for {room}; it is left out"
        self.context.logger.warning(text)
        details = {"kind": "warning", "reason": "tooLarge", "message": text, "bytes": size}
        about = {name: finding.body.get(name) for name in ("name", "timestamp") if finding.body.get(name)}
        told = Finding({**details, "of": finding.body.get("kind"), **about}, finding.identity, notice=True)
        return told, len(jsontext.encode(told.body))

    def _id(self, *identity: str) -> str:
        return derived_id("trigger", self.key, self.engine, *identity)

    def _send(self, body: Mapping[str, Any], name: str) -> None:
        self.context.emit.data(Message(body=dict(body), id=name))
