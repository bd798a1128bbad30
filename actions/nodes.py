"""Actions on the nodes of a swarm."""

from __future__ import annotations

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.request.query import filters
from lib.engine.swarm_update import update


@action("NodeList")
def node_list(engine: Engine, fields: Fields) -> Answer:
    """List nodes: GET /nodes."""
    return engine.get("/nodes", fields, query=(filters(),))


@action("NodeInspect")
def node_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect a node: GET /nodes/{id}."""
    return engine.get("/nodes/{id}", fields)


@action("NodeDelete")
def node_delete(engine: Engine, fields: Fields) -> Answer:
    """Delete a node: DELETE /nodes/{id}."""
    return engine.delete("/nodes/{id}", fields, query=("force",))


@action("NodeUpdate")
def node_update(engine: Engine, fields: Fields) -> Answer:
    """Update a node: POST /nodes/{id}/update."""
    return update(engine, "/nodes/{id}", "/nodes/{id}/update", fields)
