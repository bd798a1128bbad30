"""Actions on networks and their connections to containers."""

from __future__ import annotations

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.request.query import filters


@action("NetworkList")
def network_list(engine: Engine, fields: Fields) -> Answer:
    """List networks: GET /networks."""
    return engine.get("/networks", fields, query=(filters(),))


@action("NetworkInspect")
def network_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect a network: GET /networks/{id}."""
    return engine.get("/networks/{id}", fields, query=("verbose", "scope"))


@action("NetworkDelete")
def network_delete(engine: Engine, fields: Fields) -> Answer:
    """Delete a network: DELETE /networks/{id}."""
    return engine.delete("/networks/{id}", fields)


@action("NetworkCreate")
def network_create(engine: Engine, fields: Fields) -> Answer:
    """Create a network: POST /networks/create."""
    return engine.post("/networks/create", fields, body="requestBody")


@action("NetworkConnect")
def network_connect(engine: Engine, fields: Fields) -> Answer:
    """Connect a container to a network: POST /networks/{id}/connect."""
    return engine.post("/networks/{id}/connect", fields, body="requestBody")


@action("NetworkDisconnect")
def network_disconnect(engine: Engine, fields: Fields) -> Answer:
    """Disconnect a container from a network: POST /networks/{id}/disconnect."""
    return engine.post("/networks/{id}/disconnect", fields, body="requestBody")


@action("NetworkPrune")
def network_prune(engine: Engine, fields: Fields) -> Answer:
    """Delete unused networks: POST /networks/prune."""
    return engine.post("/networks/prune", fields, query=(filters(deletes=True),), timeout="slow")
