"""Actions on the configs of a swarm."""

from __future__ import annotations

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.request.query import body_object, filters
from lib.engine.request.secret_data import check_data
from lib.engine.swarm_update import update


@action("ConfigList")
def config_list(engine: Engine, fields: Fields) -> Answer:
    """List configs: GET /configs."""
    return engine.get("/configs", fields, query=(filters(),))


@action("ConfigCreate")
def config_create(engine: Engine, fields: Fields) -> Answer:
    """Create a config: POST /configs/create."""
    check_data(body_object(fields))
    return engine.post("/configs/create", fields, body="requestBody")


@action("ConfigInspect")
def config_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect a config: GET /configs/{id}."""
    return engine.get("/configs/{id}", fields)


@action("ConfigDelete")
def config_delete(engine: Engine, fields: Fields) -> Answer:
    """Delete a config: DELETE /configs/{id}."""
    return engine.delete("/configs/{id}", fields)


@action("ConfigUpdate")
def config_update(engine: Engine, fields: Fields) -> Answer:
    """Change the labels of a config: POST /configs/{id}/update."""
    return update(engine, "/configs/{id}", "/configs/{id}/update", fields)
