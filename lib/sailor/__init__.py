"""The Python runtime of elastic.io style platforms: a message in, a function called, messages out."""

from lib.sailor.message import Message, RawJson
from lib.sailor.step.context import Context

__all__ = ["Context", "Message", "RawJson"]
