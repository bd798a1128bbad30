"""Actions on the swarm itself: create, join, leave, settings, unlock key."""

from __future__ import annotations

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.swarm_update import update


@action("SwarmInspect")
def swarm_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect the swarm: GET /swarm. A read-only credential gets no join tokens: with them a manager can join."""
    swarm = engine.get("/swarm", fields)
    if not engine.read_only:
        return swarm
    return swarm.read(lambda value: {name: item for name, item in value.items() if name != "JoinTokens"})


@action("SwarmInit")
def swarm_init(engine: Engine, fields: Fields) -> Answer:
    """Create a swarm: POST /swarm/init. The engine's answer is a JSON string, the node's id."""
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
    """Show the unlock key: GET /swarm/unlockkey. The key allows changes, so a read-only credential is refused."""
    engine.permit("GET", "/swarm/unlockkey", reads=False)
    return engine.get("/swarm/unlockkey", fields)


@action("SwarmUnlock")
def swarm_unlock(engine: Engine, fields: Fields) -> Answer:
    """Unlock a manager: POST /swarm/unlock."""
    return engine.post("/swarm/unlock", fields, body="requestBody", timeout="slow")
