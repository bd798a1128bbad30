"""One build by BuildKit: its session, POST /build, and the answer that ends both.

Every build opens a session, also one without secrets: engines below 29 ask the client when a registry wants a token,
and Docker Hub wants one of everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from lib.engine.answer.build_progress import BuildProgress
from lib.engine.answer.streams import ProgressLines
from lib.engine.buildkit.output_file import OutputFile
from lib.engine.buildkit.services import Asked, auth, health, secrets
from lib.engine.buildkit.session import BuildSession
from lib.engine.client import Engine
from lib.engine.errors import EngineError, NotFound, NotSupported, Refused, Unauthorized
from lib.engine.request.build_outputs import build_output
from lib.engine.request.build_secrets import build_secrets
from lib.engine.request.query import Parameter
from lib.engine.request.registry_auth import RegistryConfig
from lib.engine.request.registry_login import Login

_REFUSED = 405
_HIDDEN = ("password", "identitytoken", "registrytoken")


def build(
    engine: Engine, fields: Mapping[str, Any], query: Sequence[Parameter], context: Any
) -> ProgressLines:
    """Build with BuildKit; `fields` are those of ImageBuild. Raises as the methods of Engine do."""
    given = build_secrets(fields.get("secrets"), "secrets")
    config = RegistryConfig()
    logins = config.chosen(fields, engine.registries).logins
    asked, hosts = Asked(frozenset(given)), Asked()
    hidden = [*_texts(given), *_passwords(logins)]
    methods = {**health(), **auth(logins, hosts), **secrets(given, asked)}
    keys = {}
    if fields.get("ssh"):  # the libraries of keys are loaded where there is one
        from lib.engine.buildkit.ssh_agent import ssh
        from lib.engine.buildkit.ssh_keys import ssh_keys, ssh_texts

        keys = ssh_keys(fields["ssh"])
        hidden += ssh_texts(fields["ssh"])
        methods |= ssh(keys)
    output = build_output(fields.get("outputs"))
    fields = {**fields, "outputs": output.as_list()}
    engine.permit("POST", "/build", fields, reads=False)
    needed = [
        name for name, there in (("secrets", given), ("ssh", keys), ("outputs", output.is_archive)) if there
    ]
    session, refusal = None, ""
    with ExitStack() as opened:
        file = opened.enter_context(OutputFile()) if output.is_archive else None
        if not fields.get("session"):
            session, refusal = _opened(engine, {**methods, **(file.methods() if file else {})}, needed=needed)
        if session:
            opened.enter_context(session)
            fields["session"] = session.id
        lines = engine.progress("/build", fields, query=query, headers=(config,), body=context)
        lines.closing = opened.pop_all().close
    lines.output = file.chunks if file else None
    lines.progress = partial(
        BuildProgress,
        image=output.has_image_id,
        secrets=asked,
        no_session=lambda: session.fault if session else refusal,
    )
    lines.hidden = hidden
    return lines


def _opened(
    engine: Engine, methods: Mapping[str, Any], *, needed: Sequence[str]
) -> tuple[BuildSession | None, str]:
    """Return the session, or None and the reason where the way to the engine has none and the build may go without."""
    try:
        return BuildSession(engine, methods), ""
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


def _texts(given: Mapping[str, bytes]) -> list[str]:
    return [content.decode("utf-8", "replace") for content in given.values()]


def _passwords(logins: Mapping[str, Login]) -> list[str]:
    return [login[key] for login in logins.values() for key in _HIDDEN if login.get(key)]
