"""The call in doubt, as a flow gives it: any JSON, of which only the forms that are expected are believed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib.engine.errors import BadInput, EngineError, NoAnswer, Unreachable
from lib.engine.request.times import moment
from lib.engine.text import parsed
from lib.job.work import Work
from lib.trigger.clock import SECOND, engine_time

_AGO = 600
"""Seconds before now in which the call was tried, where the input does not say when."""
_AHEAD = 60
"""Seconds that a time may lie in the future, for clocks differ."""
_APART = 2
"""Seconds between the clocks of engine and component that are none: the engine tells its time in whole ones."""
_LONGEST = 1024
"""Characters of a name, an id or a mark."""
_BODY = "requestBody"


@dataclass(frozen=True, slots=True)
class Tried:
    """`error` is the name of the error, "" where none is known; `run` the mark of markRun; `since` Unix nanoseconds.

    `exact`: the input says when it was tried.
    """

    operation: str
    fields: Mapping[str, Any]
    error: str
    run: str
    since: int
    exact: bool

    def text(self, name: str) -> str:
        """Return a field that names something, "" where it is not given; BadInput where it is no text."""
        return _text(self.fields.get(name), f"fields.{name}")

    def needed(self, name: str) -> str:
        """Return a field without which the call cannot be settled; raises BadInput where it is not there."""
        if found := self.text(name):
            return found
        raise BadInput(
            f"fields.{name} is needed to settle {self.operation}",
            field="fields",
            hint="Map the whole input of the step that failed",
        )

    def has(self, name: str) -> bool:
        """Whether a switch of the input is on."""
        return self.fields.get(name) in (True, "true", "True", "TRUE", "1", 1)

    @property
    def body(self) -> dict[str, Any]:
        """Return the field requestBody, also where it is the text of an object."""
        value = self.fields.get(_BODY)
        value = parsed(value, f"fields.{_BODY}") if value not in (None, "") else {}
        if not isinstance(value, dict):
            raise BadInput(f"fields.{_BODY} must be an object", field="fields")
        return value

    def in_body(self, name: str) -> str:
        """Return a text of the body, "" where it is not given."""
        return _text(self.body.get(name), f"fields.{_BODY}.{name}")


def tried_of(work: Work) -> Tried:
    """Read the input of SettleOutcome, with `since` as it is given, 0 for none; raises BadInput."""
    fields = work.fields
    error = fields.get("error") or {}
    inner = error.get("error") if isinstance(error, Mapping) else None
    error = inner if isinstance(inner, Mapping) else error
    given = fields.get("since")
    since = 0 if given is None else moment(given, "since")
    if since > time.time_ns() + _AHEAD * SECOND:
        raise BadInput(
            "since lies in the future", field="since", hint="Give the time when the call was tried"
        )
    return Tried(
        operation=str(fields["operation"]),
        fields=fields.get("fields") or {},
        error=_told(error, "name"),
        run=run if (run := _told(error, "run")).isascii() and run.isprintable() else "",
        since=since,
        exact=given is not None,
    )


def by_the_engines_clock(work: Work, tried: Tried) -> Tried:
    """Return the call with `since` by the engine's clock, by which all is told that it is compared with.

    Where that clock is behind ours, a time of ours would make what happened then older than it is.
    """
    before = int(time.time())
    try:
        now = engine_time(work.engine)
    except (Unreachable, NoAnswer):
        raise
    except EngineError:
        if not tried.exact:
            raise
        return tried  # a proxy that takes the time away
    if not tried.exact:
        return replace(tried, since=(now - _AGO) * SECOND)
    # How long the answer took is no difference of clocks.
    behind, ahead = before - now, now - int(time.time())
    if ahead > _APART:
        work.warn(f"The engine's clock is {ahead} s ahead of that of this step")
    if behind <= _APART:
        return tried
    work.warn(f"The engine's clock is {behind} s behind that of this step")
    return replace(tried, since=max(tried.since - behind * SECOND, 0))


def _told(error: Any, name: str) -> str:
    value = error.get(name) if isinstance(error, Mapping) else None
    return value if isinstance(value, str) and len(value) <= _LONGEST else ""


def _text(value: Any, field: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInput(f"{field} must be a text", field="fields")
    if len(text := str(value).strip()) > _LONGEST:
        raise BadInput(f"{field} has more than {_LONGEST} characters", field="fields")
    return text
