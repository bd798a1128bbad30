"""The bridge between the runtime and an action's handler: `@action` makes a `process` function of a handler.

One message is processed like this (`Action.process`, `Action._work`):

1. Read the settings, and check that the answer has room in a message.
2. Check the body against the in-schema, and its fields against the engine's API version.
3. Open the uploads: attachment, url or base64.
4. Call the handler, and emit the messages that its answer gives.
5. If a call fails, the setting errorPolicy decides: fail, rebound, emit the error, or emit nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lib.action.input.field_names import listed
from lib.action.input.field_versions import FieldVersions
from lib.action.input.filled import Filled
from lib.action.input.message_secrets import message_secrets
from lib.action.input.uploads import input_of, released, upload_of
from lib.action.input.validation import Validator, validator
from lib.action.output.answer import Answer, check_room, is_one_message, messages
from lib.action.run_mark import PLACES, marked, run_of
from lib.action.schemas import SCHEMAS
from lib.action.settings import Outcome, StepSettings, error_as_data
from lib.config.declared_fields import checked
from lib.config.labels import add_label, title_of
from lib.credentials import open_engine
from lib.engine import Engine, EngineError, Fields
from lib.engine.errors import BadInput
from lib.sailor import Context, Message, RawJson

Handler = Callable[[Engine, Fields], Answer]


def action(
    key: str, *, upload: Callable[[Fields], bool] | None = None, feeds_stdin: str = ""
) -> Callable[[Handler], Handler]:
    """Declare the handler of an operation; the handler itself stays as it is.

    - `key` is the operation's name, such as ContainerCreate.
    - `upload` marks an operation with a body of bytes. It returns whether these fields need one. The handler finds an
      Upload or None in `requestBody`.
    - `feeds_stdin` marks an operation that feeds stdin of a process, and names the field with the text. The handler
      finds an Upload or None in `input`.
    """

    def declare(handler: Handler) -> Handler:
        handler.declared = Action(key, handler, upload, feeds_stdin)  # type: ignore[attr-defined]
        return handler

    return declare


@dataclass
class Emitted:
    """Emits the messages for one input and counts them: after the first, an input must not simply be repeated."""

    context: Context
    count: int = 0
    run: str | None = None
    """The mark of what the call makes, where it gets one."""

    def add(self, message: Message) -> None:
        """Emit a message; return when it is confirmed."""
        self.context.emit.data(message)
        self.count += 1

    def tell(self, error: EngineError) -> None:
        """Add to an error the mark of the call, and a hint if messages were emitted before it."""
        error.run = self.run
        if self.count:
            hint = f"{self.count} messages were emitted before it; a repeat would emit them again"
            error.hint = f"{error.hint}. {hint}" if error.hint else hint


@dataclass(frozen=True)
class Action:
    """One operation as the runtime sees it: a key and a `process` function."""

    key: str
    handler: Handler = field(repr=False)
    upload: Callable[[Fields], bool] | None = field(default=None, repr=False)
    feeds_stdin: str = ""

    def init(self, _config: Mapping[str, Any]) -> None:
        """Read and compile the in-schema, so that the first message does not wait for it."""
        self._ages  # noqa: B018
        self._validator.ready()

    def process(
        self, context: Context, message: Message, config: Mapping[str, Any], _snapshot: Any
    ) -> Message | None:
        """Process one message: see the head of this file.

        If the answer is exactly one message, it is returned instead of emitted: then no thread waits for its confirm.
        Returns None if messages were emitted or the input was rebound. Raises EngineError if the outcome is to fail,
        and BadInput for a wrong setting.
        """
        context.logger.secrets.add_later(lambda: message_secrets(self._validator.schema, message.body))
        config = checked(self.key, config)
        settings = StepSettings.parse(config)
        emitted = Emitted(context)
        try:
            return self._work(context, message, config, settings, emitted)
        except EngineError as error:
            if isinstance(error, BadInput) and error.field:
                add_label(error, title_of(self._validator.schema, error.field))
            outcome = settings.outcome(error, emitted.count)
            emitted.tell(error)
            if outcome is Outcome.FAIL:
                raise
            context.logger.warning(str(error), operation=self.key, outcome=outcome.name.lower())
            if outcome is Outcome.REBOUND:
                context.emit.rebound(str(error))
                return None
            if outcome is Outcome.EMIT:
                return Message(body=error_as_data(error, context.logger.secrets.masked))
            return Message()

    def _work(
        self,
        context: Context,
        message: Message,
        config: Mapping[str, Any],
        settings: StepSettings,
        emitted: Emitted,
    ) -> Message | None:
        began = time.perf_counter()
        check_room(settings, context)
        unknown = settings.unknown_fields
        fields = self.fields(message.body, context.logger.warning, unknown=unknown)
        engine = open_engine(config, cancelled=context.cancelled, warn=context.logger.warning)
        fields = self._ages.checked(engine, fields, context.logger.warning, unknown=unknown)
        if settings.mark_run and self.key in PLACES:
            emitted.run = run_of(context, self.key)
            fields = marked(self.key, fields, emitted.run)
        if self.upload or self.feeds_stdin:  # before an upload is opened
            schema = self._validator.schema
            engine.permit(schema["x-method"], schema["x-path"], fields, reads=False)
        if self.upload:
            fields["requestBody"] = upload_of(context, message, fields, needed=self.upload(fields))
        if self.feeds_stdin:
            fields["input"] = input_of(context, message, fields, self.feeds_stdin)
        with released(fields):
            answer, only = (
                self.handler(engine.with_timeouts(settings.head_seconds, settings.whole_seconds), fields),
                None,
            )
            if is_one_message(answer, settings):
                (only,) = messages(answer, settings, context)
            else:
                for one in messages(answer, settings, context):
                    emitted.add(one)
        log = context.logger.info if settings.verbose else context.logger.debug
        log(
            f"{self.key} done",
            engine=str(engine.endpoint),
            version=str(engine.version),
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
        )
        return only

    def fields(
        self, body: Any, warn: Callable[[str], None] = lambda _: None, *, unknown: bool = False
    ) -> dict[str, Any]:
        """Return the fields of a body without empty ones, checked against the in-schema; raises BadInput.

        `unknown`: fields below the top level pass although the schema does not know them. `warn` gets a text for each
        empty filter.
        """
        if isinstance(body, RawJson):
            body = body.parse()
        if not isinstance(body, dict):
            raise BadInput("The message body must be an object", hint="Map the step's inputs by name")
        # The mapper writes null or "" where it finds nothing. First refuse them where they would change more.
        self._filled.check(body)
        for warning in self._filled.warnings(body):
            warn(warning)
        fields = {name: value for name, value in body.items() if value is not None and value != ""}
        settled, problems = self._validator.settled(fields, unknown=unknown)
        if problems:
            first = problems[0]
            raise BadInput(listed(problems), field=first.field, hint=first.hint or None)
        return dict(settled)

    @cached_property
    def _validator(self) -> Validator:
        return validator(SCHEMAS / f"{self.key}.in.json")

    @cached_property
    def _filled(self) -> Filled:
        return Filled(self._validator.schema)

    @cached_property
    def _ages(self) -> FieldVersions:
        return FieldVersions(self._validator.schema)
