"""`context.states` on the platform: stores states as objects of maester, sealed as bodies are (protocol 6.5)."""

from __future__ import annotations

from lib.sailor.errors import RequestError, StorageError
from lib.sailor.message.cipher import BLOCK, Cipher
from lib.sailor.platform.object_storage import OBJECT_SECONDS, Maester

LIFE_SECONDS = 90 * 24 * 3600
"""How long maester keeps a state: a flow that was stopped for longer has lost its place."""


class States:
    """Keeps the states of one step; all methods raise StorageError."""

    def __init__(self, objects: Maester, cipher: Cipher) -> None:
        self._objects = objects
        self._cipher = cipher

    def put(self, data: bytes) -> str:
        """Seal bytes, store them for LIFE_SECONDS, and return the object's id."""
        return self._objects.put_lasting(self._cipher.seal(data), LIFE_SECONDS)

    def get(self, name: str, most: int) -> bytes:
        """Return the bytes that `put` got, `most` at most; the StorageError is `final` when they cannot be opened."""
        exchange = self._objects.open(name, total=OBJECT_SECONDS)
        try:
            return self._cipher.open(exchange.whole(most + BLOCK))
        except RequestError as error:
            raise StorageError(str(error), error.status, final=error.final) from error
        except ValueError as error:
            raise StorageError(f"The object {name} cannot be opened: {error}", final=True) from error
        finally:
            exchange.close()

    def delete(self, name: str) -> None:
        """Remove an object; nothing happens when it is gone already."""
        self._objects.delete_object(name)
