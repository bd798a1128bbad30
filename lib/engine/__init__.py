"""A client for the Docker Engine API that knows nothing of integration platforms."""

from lib.engine.client import Engine, Fields
from lib.engine.endpoint import Endpoint
from lib.engine.errors import EngineError
from lib.engine.registry import Registries
from lib.engine.reply import Reply
from lib.engine.version import EngineFacts, Version

__all__ = ["Endpoint", "Engine", "EngineError", "EngineFacts", "Fields", "Registries", "Reply", "Version"]
