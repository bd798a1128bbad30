"""Actions on the engine itself: ping, version, information, disk usage, events, registry login."""

from __future__ import annotations

from typing import Any

from lib.action import Answer, action
from lib.engine import Engine, EngineFacts, Fields, Reply
from lib.engine.request.query import filters, repeated, seconds


def _facts(engine: Engine, reply: Reply) -> dict[str, Any]:
    """Return the facts in the headers of this answer. Stored facts do not suffice: the swarm's state changes."""
    facts = EngineFacts.from_headers(reply.headers) or engine.facts
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
    reply = engine.get("/_ping", fields)
    return {"text": reply.text, **_facts(engine, reply)}


@action("SystemPingHead")
def system_ping_head(engine: Engine, fields: Fields) -> Answer:
    """Ping without a body: HEAD /_ping."""
    return _facts(engine, engine.head("/_ping", fields))


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
