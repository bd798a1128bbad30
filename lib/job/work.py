"""What a job's handler works with: the engine, its fields, its run, its time, and the plan of what it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lib.action.attachment_storage import store
from lib.action.input.sources import attachment_input
from lib.engine import Engine, Fields
from lib.engine.errors import BadInput
from lib.engine.request.upload import Upload
from lib.job.repeat import Run
from lib.job.settings import JobSettings
from lib.job.waiting import Deadline, until
from lib.sailor import Context, Message

T = TypeVar("T")


@dataclass
class Work:
    """One run of a job. In a dry run the engine refuses every write, so one that is forgotten changes nothing."""

    engine: Engine
    fields: Fields
    config: Mapping[str, Any]
    settings: JobSettings
    run: Run
    deadline: Deadline
    context: Context
    message: Message
    plan: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    attachments: dict[str, Any] = field(default_factory=dict)
    """Those of the message that the job emits, by name; `store` enters them."""
    planned_away: set[str] = field(default_factory=set)
    """Ids of containers that are still there because a dry run only planned to remove them."""
    afterwards: list[Callable[[], object]] = field(default_factory=list)
    """What is done once the platform has the job's message: until then, a repeat needs what it takes away."""

    def will(self, action: str, kind: str, name: str, reason: str = "", **more: Any) -> bool:
        """Enter a change into the plan; the answer is whether to make it now, which a dry run does not."""
        entry = {"action": action, "kind": kind, "name": name, "reason": reason, **more}
        self.plan.append({key: value for key, value in entry.items() if value not in ("", None)})
        return not self.settings.dry_run

    def without_effect(self) -> None:
        """Take the last change out of the plan again: somebody else had made it before."""
        self.plan.pop()

    def permit(self, *calls: tuple[str, str]) -> None:
        """Raise ReadOnly for writes (method, path) under a read-only credential, before the first of them is sent."""
        if not self.settings.dry_run:
            for method, path in calls:
                self.engine.permit(method, path, self.fields, reads=False)

    def warn(self, text: str) -> None:
        """Say something in the output and in the log that does not stop the job."""
        self.warnings.append(text)
        self.context.logger.warning(text, job=self.run.key)

    def store(
        self, chunks: Iterable[bytes], name: str, content_type: str, *, repeatable: bool = True
    ) -> dict[str, Any]:
        """Store an attachment of the message that the job emits and return its entry; see `attachment_storage.store`.

        `repeatable`: whether the calls that gave the content may be made again should the storage be away.
        """
        if self.context.storage is None:
            raise BadInput("There is no storage for attachments here")
        entry = store(self.context.storage, chunks, content_type=content_type, repeatable=repeatable)
        self.attachments[name] = entry
        return entry

    def attached(self, name: str, field: str = "attachment") -> Upload:
        """Return an attachment of the input, opened by its first read; BadInput where the message has none of it."""
        attachments = self.message.attachments or {}
        entry = attachments.get(name)
        if not isinstance(entry, Mapping) or self.context.storage is None:
            there = ", ".join(sorted(attachments)) or "none"
            raise BadInput(f"{field}: the message has no {name!r}", field=field, hint=f"It has {there}")
        return attachment_input(self.context.storage, entry, name, field)

    def until(
        self,
        look: Callable[[], T],
        reached: Callable[[T], bool],
        late: Callable[[T], tuple[str, dict[str, Any]]],
    ) -> T:
        """Look until something is reached; see `lib.job.waiting.until`."""
        return until(self.deadline, self.context.cancelled, look, reached, late)
