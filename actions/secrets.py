"""Actions on the secrets of a swarm."""

from __future__ import annotations

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.request.query import body_object, filters
from lib.engine.request.secret_data import check_data
from lib.engine.swarm_update import update


@action("SecretList")
def secret_list(engine: Engine, fields: Fields) -> Answer:
    """List secrets: GET /secrets."""
    return engine.get("/secrets", fields, query=(filters(),))


@action("SecretCreate")
def secret_create(engine: Engine, fields: Fields) -> Answer:
    """Create a secret: POST /secrets/create."""
    check_data(body_object(fields))
    return engine.post("/secrets/create", fields, body="requestBody")


@action("SecretInspect")
def secret_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect a secret: GET /secrets/{id}."""
    return engine.get("/secrets/{id}", fields)


@action("SecretDelete")
def secret_delete(engine: Engine, fields: Fields) -> Answer:
    """Delete a secret: DELETE /secrets/{id}."""
    return engine.delete("/secrets/{id}", fields)


@action("SecretUpdate")
def secret_update(engine: Engine, fields: Fields) -> Answer:
    """Change the labels of a secret: POST /secrets/{id}/update."""
    return update(engine, "/secrets/{id}", "/secrets/{id}/update", fields)
