"""Messages: parts, headers, ids, encryption, and bodies in the object storage."""

from lib.sailor.message.message import Message, RawJson

__all__ = ["Message", "RawJson"]
