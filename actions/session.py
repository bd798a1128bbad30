"""Action that opens a build session. The session itself needs a program on this side, which flows do not have."""

from __future__ import annotations

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.attach.session import upgrade

_NOTE = (
    "The engine opened a session and it was closed again. Over it an engine asks its client for files, secrets and "
    "logins of one BuildKit build, by gRPC; a step has none to offer. Build with ImageBuild instead"
)


@action("Session")
def session(engine: Engine, fields: Fields) -> Answer:
    """Check that the engine opens a build session: POST /session (upgrade to h2c)."""
    with upgrade(engine, "/session", fields, protocol="h2c") as connection:
        return {
            "upgraded": connection.upgraded,
            "protocol": connection.headers.get("Upgrade"),
            "note": _NOTE,
        }
