"""Action that looks an image up in its registry without pulling it."""

from __future__ import annotations

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.request.registry_auth import RegistryAuth


@action("DistributionInspect")
def distribution_inspect(engine: Engine, fields: Fields) -> Answer:
    """Look an image up in its registry: GET /distribution/{name}/json."""
    return engine.get("/distribution/{+name}/json", fields, headers=(RegistryAuth("name"),), timeout="slow")
