"""What a job's handler works with: the engine, its fields, its run, its time, and the plan of what it changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lib.engine import Engine, Fields
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

    def will(self, action: str, kind: str, name: str, reason: str = "", **more: Any) -> bool:
        """Enter a change into the plan; the answer is whether to make it now, which a dry run does not."""
        entry = {"action": action, "kind": kind, "name": name, "reason": reason, **more}
        self.plan.append({key: value for key, value in entry.items() if value not in ("", None)})
        return not self.settings.dry_run

    def permit(self, *calls: tuple[str, str]) -> None:
        """Raise ReadOnly for writes (method, path) under a read-only credential, before the first of them is sent."""
        if not self.settings.dry_run:
            for method, path in calls:
                self.engine.permit(method, path, self.fields, reads=False)

    def warn(self, text: str) -> None:
        """Say something in the output and in the log that does not stop the job."""
        self.warnings.append(text)
        self.context.logger.warning(text, job=self.run.key)

    def until(
        self,
        look: Callable[[], T],
        reached: Callable[[T], bool],
        late: Callable[[T], tuple[str, dict[str, Any]]],
    ) -> T:
        """Look until something is reached; see `lib.job.waiting.until`."""
        return until(self.deadline, self.context.cancelled, look, reached, late)
