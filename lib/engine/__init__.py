"""A client for the Docker Engine API that knows nothing of integration platforms."""

from lib.engine.answer.reply import Reply
from lib.engine.client import Engine, Fields
from lib.engine.endpoint import Endpoint
from lib.engine.errors import EngineError
from lib.engine.request.registry_auth import Registries
from lib.engine.version import EngineFacts, Version

__all__ = ["Endpoint", "Engine", "EngineError", "EngineFacts", "Fields", "Registries", "Reply", "Version"]
