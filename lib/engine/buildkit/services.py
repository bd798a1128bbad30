"""What the engine may ask in a session: whether it lives, logins to registries, and secrets of the build.

Everything else is refused, and so is what was not given: a Dockerfile, and a frontend that it names, can ask for
anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lib.engine.answer.names import LONGEST_NAME
from lib.engine.buildkit.calls import NOT_FOUND, Methods, RefusedCallError, unary
from lib.engine.protobuf import MalformedError, fields, message, text
from lib.engine.request.registry_login import Login, host_of_server

_SERVING = message((1, 1))
_MOST_ASKED = 200
# Engines ask for these on their own, for git remotes and addresses of contexts.
_ASKED_ANYWAY = ("GIT_AUTH_", "HTTP_AUTH_")


class Asked:
    """The names that the engine asked for in one session.

    `given` are those that there are, `meant` those of them that were given for this very build.
    """

    def __init__(self, given: Iterable[str] = (), meant: Iterable[str] | None = None) -> None:
        self._given = frozenset(given)
        self._meant = self._given if meant is None else frozenset(meant)
        self._names: dict[str, None] = {}

    def add(self, name: str) -> None:
        """Remember a name, up to a number of them."""
        if len(self._names) < _MOST_ASKED:
            self._names[name[:LONGEST_NAME]] = None

    def missing(self) -> list[str]:
        """Return the names that were asked for and not given, without those that engines ask for anyway."""
        names = list(self._names)
        return [name for name in names if name not in self._given and not name.startswith(_ASKED_ANYWAY)]

    def unused(self) -> list[str]:
        """Return the names that were meant and not asked for; a cached step asks for nothing."""
        return sorted(self._meant - self._names.keys())

    def known(self) -> dict[str, bool]:
        """Return the names that were asked for, in their order, and whether each was given."""
        return {name: name in self._given for name in list(self._names)}


def health() -> Methods:
    """The engine asks every few seconds; without an answer it ends the session."""
    return {"/grpc.health.v1.Health/Check": unary(lambda _: _SERVING)}


def auth(logins: Mapping[str, Login], asked: Asked) -> Methods:
    """Logins by registry host. An empty answer means that there is none: the engine goes on anonymously.

    The ways by which the engine never sees the password are not served: this side would have to reach the registry.
    """

    def credentials(request: bytes) -> bytes:
        host = host_of_server(_text(request, 1))
        asked.add(host)
        login = logins.get(host, {})
        if token := login.get("identitytoken"):
            return message((2, token))
        if not login.get("password"):
            return b""
        return message((1, login.get("username", "")), (2, login["password"]))

    return {"/moby.filesync.v1.Auth/Credentials": unary(credentials)}


def secrets(values: Mapping[str, bytes], asked: Asked) -> Methods:
    """Secrets of the build by id. One that is not there has to be refused: an empty one would be mounted."""

    def secret(request: bytes) -> bytes:
        name = _text(request, 1)
        asked.add(name)
        if name not in values:
            raise RefusedCallError(NOT_FOUND, f"secret {name[:LONGEST_NAME]} was not given")
        return message((1, values[name]))

    return {"/moby.buildkit.secrets.v1.Secrets/GetSecret": unary(secret)}


def _text(request: bytes, wanted: int) -> str:
    try:
        return next((text(value) for number, value in fields(request) if number == wanted), "")
    except MalformedError:
        return ""
