"""The engine itself: ping, version, information, disk usage, events, registry login."""

from __future__ import annotations

from lib.action import action
from lib.answer import Answer
from lib.engine import Engine, Fields
from lib.engine.query import filters, repeated, seconds


def _facts(engine: Engine) -> dict[str, object]:
    facts = engine.facts
    return {
        "apiVersion": str(facts.maximum),
        "osType": facts.os_type,
        "experimental": facts.experimental,
        "builderVersion": facts.builder,
        "swarm": facts.swarm,
    }


@action("SystemPing")
def system_ping(engine: Engine, fields: Fields) -> Answer:
    """Ping: GET /_ping."""
    return {"text": engine.get("/_ping", fields).text, **_facts(engine)}


@action("SystemPingHead")
def system_ping_head(engine: Engine, fields: Fields) -> Answer:
    """Ping without a body: HEAD /_ping."""
    engine.head("/_ping", fields)
    return _facts(engine)


@action("SystemVersion")
def system_version(engine: Engine, fields: Fields) -> Answer:
    """Show the versions: GET /version."""
    return engine.get("/version", fields)


@action("SystemInfo")
def system_info(engine: Engine, fields: Fields) -> Answer:
    """Show information on the engine: GET /info."""
    return engine.get("/info", fields)


@action("SystemDataUsage")
def system_data_usage(engine: Engine, fields: Fields) -> Answer:
    """Show the disk usage: GET /system/df."""
    return engine.get("/system/df", fields, query=(repeated("type"), "verbose"), timeout="slow")


@action("SystemAuth")
def system_auth(engine: Engine, fields: Fields) -> Answer:
    """Check a registry login: POST /auth."""
    return engine.post("/auth", fields, body="requestBody", timeout="slow", reads=True)


@action("SystemEvents")
def system_events(engine: Engine, fields: Fields) -> Answer:
    """Collect events: GET /events."""
    return engine.lines("/events", fields, query=(seconds("since"), seconds("until"), filters()))
