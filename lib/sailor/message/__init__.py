"""Messages: their parts, their headers and ids, and their sealed form."""

from lib.sailor.message.message import Message, RawJson

__all__ = ["Message", "RawJson"]
