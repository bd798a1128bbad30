"""`context.states` on the platform: objects of maester, sealed as bodies of messages are (protocol 6.5)."""

from __future__ import annotations

from lib.sailor.errors import RequestError, StorageError
from lib.sailor.message.cipher import BLOCK, Cipher
from lib.sailor.platform.object_storage import OBJECT_SECONDS, Maester

LIFE_SECONDS = 90 * 24 * 3600
"""How long a flow may rest and still find its place."""


class States:
    """Keeps the states of one step."""

    def __init__(self, objects: Maester, cipher: Cipher) -> None:
        self._objects = objects
        self._cipher = cipher

    def put(self, data: bytes) -> str:
        """Store bytes sealed and return the object's id."""
        return self._objects.put_lasting(self._cipher.seal(data), LIFE_SECONDS)

    def get(self, name: str, most: int) -> bytes:
        """Return an object of at most `most` bytes, opened; `final` where it is none of ours."""
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
        """Remove an object."""
        self._objects.delete_object(name)
