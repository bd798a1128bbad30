"""What was told against what happened, in numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.triggers.soak.step import Told

NOTICES = ("gap", "warning", "error")


@dataclass
class Verdict:
    """`truth`: what had to be told; `told`: different messages; `gaps`: what had to be told and a notice stands for.

    `lost`, `false` and `other` (an event that was told again with another id) are to be empty.
    """

    trigger: str
    truth: int = 0
    told: int = 0
    gaps: int = 0
    repeated: int = 0
    lost: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    polls: int = 0
    kills: int = 0

    @property
    def faults(self) -> list[str]:
        """Everything that is wrong, in words."""
        kinds = (("lost", self.lost), ("false", self.false), ("another id", self.other))
        return [f"{self.trigger}, {kind}: {one}" for kind, found in kinds for one in found]

    def must(self, satisfied: bool, what: str, *, noticed: bool = False) -> None:
        """Count something that had to be told."""
        self.truth += 1
        if not satisfied and noticed:
            self.gaps += 1
        elif not satisfied:
            self.lost.append(what)

    def compare_ids(self, told: Iterable[Told], key: Callable[[Told], Hashable | None]) -> None:
        """Count repeats; `key` names the event of a message, None where only its id can."""
        messages = [one for one in told if one.body.get("kind") not in NOTICES]
        ids, keys = defaultdict(set), defaultdict(set)
        for one in messages:
            name: Any = key(one)
            if name is not None:
                ids[name].add(one.id)
                keys[one.id].add(name)
        self.told = len({one.id for one in messages})
        self.repeated = len(messages) - self.told
        self.other += [f"{name} has the ids {sorted(found)}" for name, found in ids.items() if len(found) > 1]
        self.false += [
            f"id {one} is of {sorted(map(str, found))}" for one, found in keys.items() if len(found) > 1
        ]

    def note(self, told: Iterable[Told]) -> None:
        """Keep the notices, each once; a poll that failed is a fault."""
        for one in told:
            kind, body = one.body.get("kind"), one.body
            if kind == "error":
                self.false.append(f"a poll failed at {one.at:.3f}: {body['error']}")
            elif kind in NOTICES:
                text = f"{kind} {body.get('reason')}: {str(body.get('message'))[:160]}"
                if text not in self.notices:
                    self.notices.append(text)


HEAD = (
    "trigger",
    "polls",
    "kills",
    "truth",
    "told",
    "lost",
    "gaps",
    "false",
    "repeated, equal id",
    "another id",
)


def table(verdicts: Iterable[Verdict]) -> str:
    """The numbers, a line for each trigger."""
    rows = [HEAD]
    for v in verdicts:
        numbers = (
            v.polls,
            v.kills,
            v.truth,
            v.told,
            len(v.lost),
            v.gaps,
            len(v.false),
            v.repeated,
            len(v.other),
        )
        rows.append((v.trigger, *map(str, numbers)))  # type: ignore[arg-type]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = (
        "  ".join(
            cell.rjust(w) if n else cell.ljust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
