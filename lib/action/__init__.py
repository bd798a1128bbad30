"""Actions: from a message to one call of the engine, and from its answer to messages."""

from lib.action.action import action
from lib.action.output.answer import Answer

__all__ = ["Answer", "action"]
