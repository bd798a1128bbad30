"""The Python runtime of elastic.io style platforms: it takes a message, calls a function, publishes what it emits."""

from lib.sailor.message import Message, RawJson
from lib.sailor.step.context import Context

__all__ = ["Context", "Message", "RawJson"]
