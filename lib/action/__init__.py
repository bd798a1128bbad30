"""Actions: an action makes one call of the engine from a message, and messages from the answer."""

from lib.action.action import action
from lib.action.output.answer import Answer

__all__ = ["Answer", "action"]
