"""Actions on volumes."""

from __future__ import annotations

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.request.query import filters
from lib.engine.swarm_update import update_cluster_volume


@action("VolumeList")
def volume_list(engine: Engine, fields: Fields) -> Answer:
    """List volumes: GET /volumes."""
    return engine.get("/volumes", fields, query=(filters(),))


@action("VolumeCreate")
def volume_create(engine: Engine, fields: Fields) -> Answer:
    """Create a volume: POST /volumes/create."""
    return engine.post("/volumes/create", fields, body="requestBody")


@action("VolumeInspect")
def volume_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect a volume: GET /volumes/{name}."""
    return engine.get("/volumes/{name}", fields)


@action("VolumeUpdate")
def volume_update(engine: Engine, fields: Fields) -> Answer:
    """Update a cluster volume: PUT /volumes/{name}. The body is {"Spec": ...}."""
    return update_cluster_volume(engine, fields)


@action("VolumeDelete")
def volume_delete(engine: Engine, fields: Fields) -> Answer:
    """Delete a volume: DELETE /volumes/{name}."""
    return engine.delete("/volumes/{name}", fields, query=("force",))


@action("VolumePrune")
def volume_prune(engine: Engine, fields: Fields) -> Answer:
    """Delete unused volumes: POST /volumes/prune."""
    return engine.post("/volumes/prune", fields, query=(filters(deletes=True),), timeout="slow")
