"""The Python runtime of elastic.io style platforms: a message in, a function called, messages out."""

from lib.sailor.context import Context
from lib.sailor.message import Message, RawJson

__all__ = ["Context", "Message", "RawJson"]
