"""One build by BuildKit: its session, the call that builds, and the answer that ends both.

Every build opens a session, also one without secrets: engines below 29 ask the client when a registry wants a token,
and Docker Hub wants one of everybody.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from lib.engine.answer.build_failure import SessionFacts
from lib.engine.answer.build_progress import BuildProgress
from lib.engine.answer.streams import ProgressLines
from lib.engine.buildkit.calls import Methods
from lib.engine.buildkit.choice import BUILDKIT, overlooked, platforms
from lib.engine.buildkit.context_pull import ContextPull
from lib.engine.buildkit.control import Control
from lib.engine.buildkit.image_store import check_cache, check_output, check_platforms
from lib.engine.buildkit.offered import Offered
from lib.engine.buildkit.output_file import OutputFile
from lib.engine.buildkit.session import BuildSession
from lib.engine.buildkit.solve import SolveLines
from lib.engine.buildkit.solve_request import check_names, solve_request
from lib.engine.client import Engine
from lib.engine.errors import BadInput, NoAnswer, NotSupported, OutcomeUnknown, StreamCut
from lib.engine.request.build_cache import cache_places, is_plain
from lib.engine.request.build_outputs import BuildOutput, build_output
from lib.engine.request.query import Parameter, is_true, parsed
from lib.engine.request.upload import Upload

_UNKNOWN = "The outcome is unknown: "
_KEPT = 100  # lines of the result
_INLINE_CACHE = {"BUILDKIT_INLINE_CACHE": "1"}
_OTHER = "The session is that of another program"


def build(
    engine: Engine, fields: Mapping[str, Any], query: Sequence[Parameter], context: Any
) -> ProgressLines:
    """Build with BuildKit; `fields` are those of ImageBuild. Raises as the methods of Engine do."""
    offered = Offered(engine, fields)
    output = build_output(fields.get("outputs"))
    solving = _solving(engine, fields, output)
    engine.permit("POST", "/build", fields, reads=False)
    needed = [*solving, *offered.needed, *(["outputs"] if output.is_archive else [])]
    session, refusal = None, _OTHER
    with ExitStack() as opened:
        methods: Methods = offered.methods
        file = opened.enter_context(OutputFile()) if output.is_archive else None
        if file:
            methods = {**methods, **file.methods()}
        address = str(fields.get("remote") or "")
        if solving and isinstance(context, Upload):
            pulled = opened.enter_context(ContextPull(context, uuid.uuid4().hex))
            methods, address = {**methods, **pulled.methods()}, pulled.address
        if not fields.get("session"):
            session, refusal = _opened(engine, methods, needed=needed)
        if session:
            opened.enter_context(session)
        if solving:
            ref, own = uuid.uuid4().hex, session.id if session else ""
            request = solve_request(ref, own, fields, address, output)
            control = _control(engine, solving[0])
            lines: ProgressLines = SolveLines(
                engine, control, ref, request, names_image=not output.is_archive
            )
        else:
            lines = engine.progress("/build", _sent(fields, session, output), query=query, body=context)
        lines.closing = opened.pop_all().close
    lines.output = file.chunks if file else None
    lines.progress = partial(
        BuildProgress,
        image=output.has_image_id,
        secrets=offered.secrets,
        session=lambda: SessionFacts(refusal, session.fault if session else "", offered.hosts.known()),
        # Who goes to BuildKit's own service has no part in POST /build/cancel.
        ignored=[*overlooked(engine, fields), *(["buildid"] if solving and fields.get("buildid") else [])],
        keep=0 if is_true(fields.get("q")) else _KEPT,
    )
    lines.hidden = offered.hidden
    return lines


def _solving(engine: Engine, fields: Mapping[str, Any], output: BuildOutput) -> list[str]:
    """Return the inputs that POST /build cannot take; raises BadInput and NotSupported where nothing can."""
    several = len(platforms(fields)) > 1
    caches = [name for name in ("cachefrom", "cacheTo") if not _is_usual(fields, name)]
    if several:
        check_platforms(engine, output)
    check_names(fields, output)
    check_output(engine, output)
    check_cache(engine, fields)
    # Engines from 23 on refuse it in POST /build, although their BuildKit knows it.
    cache_alone = output.type == "cacheonly"
    found = [*(["platform"] if several else []), *caches, *(["outputs"] if cache_alone else [])]
    if found and fields.get("session"):
        raise BadInput(
            f"{found[0]} needs a session of the step's own", field="session", hint="Leave session empty"
        )
    return found


def _is_usual(fields: Mapping[str, Any], name: str) -> bool:
    places = cache_places(fields.get(name), name)
    return not places if name == "cacheTo" else is_plain(places)


def _sent(fields: Mapping[str, Any], session: BuildSession | None, output: BuildOutput) -> dict[str, Any]:
    """Return the fields as POST /build has them."""
    # Quiet, BuildKit tells nothing but the id, and of a failure everything after all.
    sent = {**fields, "version": BUILDKIT, "outputs": output.as_list(), "q": None}
    if session:
        sent["session"] = session.id
    if one := platforms(fields):
        sent["platform"] = one[0]
    if str(fields.get("networkmode") or "") == "bridge":
        sent["networkmode"] = "default"
    if places := cache_places(fields.get("cachefrom"), "cachefrom"):
        sent["cachefrom"] = [place.attributes["ref"] for place in places]
    if is_true(fields.get("inlineCache")):
        arguments = parsed(fields.get("buildargs") or {}, "buildargs")
        sent["buildargs"] = {**_INLINE_CACHE, **arguments} if isinstance(arguments, dict) else arguments
    return sent


def _control(engine: Engine, needed: str) -> Control:
    try:
        return Control(engine)
    except (OutcomeUnknown, StreamCut) as lost:
        raise _not_begun(lost) from lost
    except NotSupported as refusal:
        raise _without(needed, refusal) from refusal


def _not_begun(lost: OutcomeUnknown | StreamCut) -> NoAnswer:
    why = lost.message.removeprefix(_UNKNOWN)
    return NoAnswer(
        f"No build was begun: its session was not opened ({why})", method=lost.method, path=lost.path
    )


def _without(needed: str, refusal: NotSupported) -> NotSupported:
    return NotSupported(
        f"{needed} cannot be given: {refusal.message}",
        status=refusal.status,
        method="POST",
        path=refusal.path,
        hint="A proxy before the engine has to let such calls through; Podman has no sessions",
    )


def _opened(engine: Engine, methods: Methods, *, needed: Sequence[str]) -> tuple[BuildSession | None, str]:
    """Return the session, or None and the reason where the way to the engine has none and the build may go without."""
    try:
        return BuildSession(engine, methods), ""
    except (OutcomeUnknown, StreamCut) as lost:
        raise _not_begun(lost) from lost
    except NotSupported as refusal:
        if not needed:
            return None, refusal.message
        raise _without(needed[0], refusal) from refusal
