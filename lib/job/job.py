"""The bridge for jobs: what `lib/action/action.py` is for operations.

Input, labels, secrets and what becomes of an error are those of actions. Added are the run id, the time of one stay in
the step, the dry run, and the fields that all outputs have: `changed`, `duration`, `warnings`, and `plan` and `dryRun`
where the job changes something.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lib.action.action import Action, Emitted
from lib.action.output.answer import check_room, messages
from lib.action.settings import StepSettings
from lib.credentials import open_engine
from lib.engine import Engine, Fields
from lib.engine.errors import EngineError
from lib.job.errors import NotReached
from lib.job.repeat import Run
from lib.job.settings import COME_BACK, EMIT, JobSettings
from lib.job.waiting import Deadline, TimeIsUp
from lib.job.work import Work
from lib.sailor import Context, Message

Handler = Callable[[Work], Mapping[str, Any] | list[Any]]


def job(key: str, *, changes: bool = False) -> Callable[[Handler], Handler]:
    """Declare the handler of a job; the function itself stays as it is. `changes`: it may change the engine."""

    def declare(handler: Handler) -> Handler:
        handler.declared = Job(key, _refuse, changes=changes, work=handler)  # type: ignore[attr-defined]
        return handler

    return declare


def _refuse(_engine: Engine, _fields: Fields) -> None:
    raise TypeError("a job has no handler of an operation")


@dataclass(frozen=True)
class Job(Action):
    """One job as the runtime sees it."""

    changes: bool = False
    work: Handler = field(default=lambda _: {}, repr=False)

    def _work(
        self,
        context: Context,
        message: Message,
        config: Mapping[str, Any],
        settings: StepSettings,
        emitted: Emitted,
    ) -> Message | None:
        began = time.monotonic()
        check_room(settings, context)
        ours = JobSettings.parse(config)
        fields = self.fields(message.body, context.logger.warning)
        engine = open_engine(config, cancelled=context.cancelled, warn=context.logger.warning)
        engine = engine.reading() if ours.dry_run or not self.changes else engine
        run = Run.of(context, self.key, fields.get("idempotencyKey"))
        work = Work(engine, fields, config, ours, run, Deadline(ours.max_seconds), context, message)
        if self.changes and not run.recognisable:
            context.logger.info("The input has no id: should it come again, the job cannot recognise it")
        try:
            answer = self.work(work)
        except TimeIsUp as late:
            if ours.when_time_is_up == COME_BACK:
                context.logger.info(str(late), job=self.key)
                context.emit.rebound(late)
                return None
            if ours.when_time_is_up != EMIT:
                raise NotReached(late.message, hint=late.hint, **late.details) from late
            answer = {**late.details, "reached": False}
        log = context.logger.info if settings.verbose else context.logger.debug
        log(f"{self.key} done", engine=str(engine.endpoint), run=run.id, changes=len(work.plan))
        if isinstance(answer, list):
            for one in messages(answer, settings, context):
                emitted.add(one)
            return None
        (only,) = messages(self._whole(answer, work, time.monotonic() - began), settings, context)
        whole = replace(only, attachments=work.attachments)
        if not work.afterwards:
            return whole
        emitted.add(whole)  # returns once the platform has it
        for act in work.afterwards:
            try:
                act()
            except EngineError as fault:
                context.logger.warning("Done, but not tidied up", err=fault, job=self.key)
        return None

    def _whole(self, answer: Mapping[str, Any], work: Work, seconds: float) -> dict[str, Any]:
        """Return an output with the fields that all jobs have."""
        dry = work.settings.dry_run
        shared: dict[str, Any] = {"duration": round(seconds, 3), "warnings": work.warnings}
        if self.changes:
            # Of a write that may have been without effect, the handler says whether it had one.
            changed = bool(answer.get("changed", work.plan)) and not dry
            shared |= {"changed": changed, "dryRun": dry, "plan": work.plan}
        return {**answer, **shared}
