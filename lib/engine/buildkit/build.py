"""One build by BuildKit: its session, POST /build, and the answer that ends both.

Every build opens a session, also one without secrets: engines below 29 ask the client when a registry wants a token,
and Docker Hub wants one of everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from lib.engine.answer.build_failure import SessionFacts
from lib.engine.answer.build_progress import BuildProgress
from lib.engine.answer.streams import ProgressLines
from lib.engine.buildkit.choice import BUILDKIT, overlooked
from lib.engine.buildkit.offered import Offered
from lib.engine.buildkit.output_file import OutputFile
from lib.engine.buildkit.session import BuildSession
from lib.engine.client import Engine
from lib.engine.errors import (
    EngineError,
    NoAnswer,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    Refused,
    Unauthorized,
)
from lib.engine.request.build_outputs import build_output
from lib.engine.request.query import Parameter, is_true, parsed

_REFUSED = 405
_UNKNOWN = "The outcome is unknown: "
_KEPT = 100  # lines of the result
_INLINE_CACHE = {"BUILDKIT_INLINE_CACHE": "1"}


def build(
    engine: Engine, fields: Mapping[str, Any], query: Sequence[Parameter], context: Any
) -> ProgressLines:
    """Build with BuildKit; `fields` are those of ImageBuild. Raises as the methods of Engine do."""
    offered = Offered(engine, fields)
    output = build_output(fields.get("outputs"))
    # Quiet, BuildKit tells nothing but the id, and of a failure everything after all.
    sent = {**fields, "version": BUILDKIT, "outputs": output.as_list(), "q": None}
    if str(fields.get("networkmode") or "") == "bridge":
        sent["networkmode"] = "default"
    if is_true(fields.get("inlineCache")):
        arguments = parsed(fields.get("buildargs") or {}, "buildargs")
        sent["buildargs"] = {**_INLINE_CACHE, **arguments} if isinstance(arguments, dict) else arguments
    engine.permit("POST", "/build", sent, reads=False)
    needed = [*offered.needed, *(["outputs"] if output.is_archive else [])]
    session, refusal = None, "The session is that of another program"
    with ExitStack() as opened:
        file = opened.enter_context(OutputFile()) if output.is_archive else None
        if not fields.get("session"):
            methods = {**offered.methods, **(file.methods() if file else {})}
            session, refusal = _opened(engine, methods, needed=needed)
        if session:
            opened.enter_context(session)
            sent["session"] = session.id
        lines = engine.progress("/build", sent, query=query, body=context)
        lines.closing = opened.pop_all().close
    lines.output = file.chunks if file else None
    lines.progress = partial(
        BuildProgress,
        image=output.has_image_id,
        secrets=offered.secrets,
        session=lambda: SessionFacts(refusal, session.fault if session else "", offered.hosts.known()),
        ignored=overlooked(engine, fields),
        keep=0 if is_true(fields.get("q")) else _KEPT,
    )
    lines.hidden = offered.hidden
    return lines


def _opened(
    engine: Engine, methods: Mapping[str, Any], *, needed: Sequence[str]
) -> tuple[BuildSession | None, str]:
    """Return the session, or None and the reason where the way to the engine has none and the build may go without."""
    try:
        return BuildSession(engine, methods), ""
    except OutcomeUnknown as lost:
        raise NoAnswer(
            f"No build was begun: its session was not opened ({lost.message.removeprefix(_UNKNOWN)})",
            method=lost.method,
            path=lost.path,
        ) from lost
    except Refused as refusal:
        if not _has_none(refusal):
            raise
        why = f"POST /session was answered with {refusal.status or 'another protocol'}"
        if not needed:
            return None, why
        raise NotSupported(
            f"{needed[0]} cannot be given: {why}",
            status=refusal.status,
            method="POST",
            path=refusal.path,
            hint="A proxy before the engine has to let POST /session through; Podman has no sessions",
        ) from refusal


def _has_none(refusal: EngineError) -> bool:
    return isinstance(refusal, NotFound | Unauthorized | NotSupported) or refusal.status == _REFUSED
