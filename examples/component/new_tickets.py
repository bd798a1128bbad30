"""Trigger: each new ticket once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tickets import get

from lib.sailor import Context, Message
from lib.sailor.message.ids import derived_id


def process(
    context: Context, message: Message, config: dict[str, Any], snapshot: dict[str, Any]
) -> Iterator[Message]:
    last = snapshot.get("last", 0)
    new = [ticket for ticket in get(config, "/tickets.json") if ticket["number"] > last]
    for ticket in sorted(new, key=lambda ticket: ticket["number"]):
        # A ticket that comes twice, after a crash before the snapshot below, has the same id both times.
        yield Message(ticket, id=derived_id(config["url"], str(ticket["number"])))
        last = ticket["number"]
    if new:
        context.emit.snapshot({"last": last})  # the platform has all of them by now
