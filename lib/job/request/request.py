"""EngineRequest: one call of the Engine API, as it is written.

What changes something is sent once. A message that the broker delivers again may have been sent before the step died;
the setting onRepeat says what becomes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib.config.form import choice, words
from lib.engine.answer.streams import Raw
from lib.engine.errors import BadInput, Refused
from lib.engine.request.upload import Upload
from lib.engine.text import encoded
from lib.engine.timeouts import Timeout
from lib.job.errors import NotSettled
from lib.job.request.answers import ANSWERS, answered, head_alone
from lib.job.request.headers import headers_of
from lib.job.request.target import Target, target_of
from lib.job.settings import RUN_AGAIN
from lib.job.work import Work

READS = ("GET", "HEAD")


def requested(work: Work) -> dict[str, Any]:
    """Return the output of EngineRequest."""
    method, target = str(work.fields["method"]), target_of(work.fields)
    how, allowed = choice(work.config, "answer", ANSWERS), _allowed(work)
    headers, body = headers_of(work.fields), _body(work)
    if method in READS:
        if body is not None:
            raise BadInput(f"{method} has no body", field="body")
        return _asked(work, method, target, headers, body, how, allowed)
    work.permit((method, target.path))
    if work.run.redelivered and work.settings.on_repeat != RUN_AGAIN and not work.settings.dry_run:
        raise NotSettled(
            f"{method} {target.path} may have been sent already: the message came before, and the step died",
            hint="Look at the object. Where a second call does no harm, set onRepeat to run it again",
        )
    if not work.will("send", "request", f"{method} {target.path}"):
        return {}
    return _asked(work, method, target, headers, body, how, allowed)


def _asked(
    work: Work,
    method: str,
    target: Target,
    headers: Sequence[tuple[str, str]],
    body: bytes | Upload | None,
    how: str,
    allowed: frozenset[int],
) -> dict[str, Any]:
    engine = work.engine
    if target.version and target.version != engine.version:
        work.warn(f"The path asks for API {target.version}; this step speaks {engine.version} otherwise")
    left = max(work.deadline.left, 0.001)
    try:
        response = engine.sender.send(
            method,
            target.sent(engine.version),
            headers=headers,
            body=body,
            timeout=Timeout(left, left),
            reads=method in READS,
            stream=True,
            unchanged=True,
            cancelled=engine.cancelled,
        )
    except Refused as refused:
        if refused.status not in allowed:
            raise
        return {"statusCode": refused.status, "headers": {}, "body": {"message": refused.message}}
    if response.raw is None:  # HEAD, 204 and 304 have no body
        return head_alone(response.status_code, response.headers)
    return answered(work, Raw(response, method, target.path), how)


def _allowed(work: Work) -> frozenset[int]:
    """Return the statuses that become messages; raises BadInput."""
    found = set()
    for word in words(work.config, "dontThrowOn"):
        if not word.isdigit() or not 400 <= int(word) <= 599:  # noqa: PLR2004
            raise BadInput(f"dontThrowOn: {word[:20]!r} is no status from 400 to 599", field="dontThrowOn")
        found.add(int(word))
    return frozenset(found)


def _body(work: Work) -> bytes | Upload | None:
    body, name = work.fields.get("body"), work.fields.get("attachment")
    if body is not None and name:
        raise BadInput("body and attachment exclude each other", field="attachment")
    if name:
        return work.attached(str(name))
    return None if body is None else encoded(body, "body")
