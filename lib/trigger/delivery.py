"""Turns findings into messages, in the form the step asks for: one by one, or in pages.

A message's id is made of what names the finding: the same when it is told again, another for every other finding.
In pages every result carries the id that it would have alone as `messageId`, and the page's own id is made of
those: a page that grows, because more was found when it is told again after a crash, is another page, with the same
results in it.
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
"""Bytes; below it nothing is left out for its size: the limit is what is wrong."""


class TriggerNotice(Exception):
    """A gap or warning, where the step shows them as errors of the flow."""


@dataclass(frozen=True)
class Delivery:
    """Emits what polls of one trigger on one engine found."""

    context: Context
    key: str
    engine: str
    config: Form

    def emit(self, findings: Sequence[Finding]) -> None:
        """Emit findings in order; returns when every message is confirmed."""
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
        """Yield as many findings as one message has room for."""
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
        """Return what is told of a finding, and its size; one that fits into no message would stop all later ones."""
        if finding.notice:  # it may quote what engine, proxy or registry said, and that may quote a login
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
