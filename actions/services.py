"""Actions on the services of a swarm."""

from __future__ import annotations

from typing import Any

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.errors import BadInput
from lib.engine.request.query import filters, lines, seconds
from lib.engine.request.registry_auth import RegistryAuth
from lib.engine.swarm_update import update

LOG_QUERY = ("details", "follow", "stdout", "stderr", seconds("since"), "timestamps", lines("tail"))
_AUTH = RegistryAuth("requestBody.TaskTemplate.ContainerSpec.Image")


def _has_terminal(engine: Engine, fields: Fields) -> bool:
    reply = engine.get("/services/{id}", fields)
    return reply.read(lambda found: bool(found["Spec"]["TaskTemplate"].get("ContainerSpec", {}).get("TTY")))


@action("ServiceList")
def service_list(engine: Engine, fields: Fields) -> Answer:
    """List services: GET /services."""
    return engine.get("/services", fields, query=(filters(), "status"))


@action("ServiceCreate")
def service_create(engine: Engine, fields: Fields) -> Answer:
    """Create a service: POST /services/create."""
    return engine.post("/services/create", fields, headers=(_AUTH,), body="requestBody", timeout="slow")


@action("ServiceInspect")
def service_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect a service: GET /services/{id}."""
    return engine.get("/services/{id}", fields, query=("insertDefaults",))


@action("ServiceDelete")
def service_delete(engine: Engine, fields: Fields) -> Answer:
    """Delete a service: DELETE /services/{id}."""
    return engine.delete("/services/{id}", fields)


@action("ServiceUpdate")
def service_update(engine: Engine, fields: Fields) -> Answer:
    """Update a service: POST /services/{id}/update. A rollback needs no specification of its own."""
    if not fields.get("requestBody"):
        fields = {**fields, "requestBody": _for_rollback(engine, fields)}
    return update(
        engine,
        "/services/{id}",
        "/services/{id}/update",
        fields,
        query=("registryAuthFrom", "rollback"),
        headers=(_AUTH,),
    )


def _for_rollback(engine: Engine, fields: Fields) -> dict[str, Any]:
    """Return the body of a rollback: the engine requires the present specification of the service.

    Without `version` it is {}, since `update` then merges it into the present specification. Raises BadInput if the
    fields ask for no rollback.
    """
    if not fields.get("rollback"):
        hint = 'Give what shall change, or rollback: "previous"'
        raise BadInput("requestBody is missing", field="requestBody", hint=hint)
    engine.permit("POST", "/services/{id}/update", fields, reads=False)
    if fields.get("version") in (None, ""):
        return {}
    spec: dict[str, Any] = engine.get("/services/{id}", fields).json()["Spec"]
    return spec


@action("ServiceLogs")
def service_logs(engine: Engine, fields: Fields) -> Answer:
    """Read the logs of a service: GET /services/{id}/logs."""
    return engine.logs("/services/{id}/logs", fields, query=LOG_QUERY, tty=_has_terminal)
