"""The swarm itself: founding, joining, leaving, settings, the unlock key."""

from __future__ import annotations

from lib.action import action
from lib.answer import Answer
from lib.engine import Engine, Fields
from lib.engine.indexed import update


@action("SwarmInspect")
def swarm_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect the swarm: GET /swarm."""
    return engine.get("/swarm", fields)


@action("SwarmInit")
def swarm_init(engine: Engine, fields: Fields) -> Answer:
    """Found a swarm: POST /swarm/init. The answer is a bare JSON string, the node's id."""
    return {"text": engine.post("/swarm/init", fields, body="requestBody", timeout="slow").json()}


@action("SwarmJoin")
def swarm_join(engine: Engine, fields: Fields) -> Answer:
    """Join a swarm: POST /swarm/join."""
    return engine.post("/swarm/join", fields, body="requestBody", timeout="slow")


@action("SwarmLeave")
def swarm_leave(engine: Engine, fields: Fields) -> Answer:
    """Leave the swarm: POST /swarm/leave."""
    return engine.post("/swarm/leave", fields, query=("force",), timeout="slow")


@action("SwarmUpdate")
def swarm_update(engine: Engine, fields: Fields) -> Answer:
    """Change the swarm's settings or tokens: POST /swarm/update."""
    query = ("rotateWorkerToken", "rotateManagerToken", "rotateManagerUnlockKey")
    return update(engine, "/swarm", "/swarm/update", fields, query=query)


@action("SwarmUnlockkey")
def swarm_unlockkey(engine: Engine, fields: Fields) -> Answer:
    """Show the unlock key: GET /swarm/unlockkey."""
    return engine.get("/swarm/unlockkey", fields)


@action("SwarmUnlock")
def swarm_unlock(engine: Engine, fields: Fields) -> Answer:
    """Unlock a manager: POST /swarm/unlock."""
    return engine.post("/swarm/unlock", fields, body="requestBody", timeout="slow")
