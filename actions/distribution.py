"""What a registry says of an image, without pulling it."""

from __future__ import annotations

from lib.action import action
from lib.answer import Answer
from lib.engine import Engine, Fields
from lib.engine.registry import RegistryAuth


@action("DistributionInspect")
def distribution_inspect(engine: Engine, fields: Fields) -> Answer:
    """Look an image up in its registry: GET /distribution/{name}/json."""
    return engine.get("/distribution/{+name}/json", fields, headers=(RegistryAuth("name"),), timeout="slow")
