"""Which engine is meant, in the order of the docker command line, and by which word of its user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.engine.endpoint import DEFAULT_SOCKET
from lib.local.engine.context import DEFAULT, read_context
from lib.local.engine.docker_config import docker_config
from lib.local.engine.environment import credentials_of
from lib.local.engine.sockets import answering_socket
from lib.local.problems import UsageError


@dataclass(frozen=True)
class Choice:
    """The credential's fields for an engine, and `why` it is this one, such as "the context shop (DOCKER_CONTEXT)"."""

    fields: Mapping[str, str] = field(repr=False)  # a key may be among them
    why: str
    found: bool = True
    """False if nothing names an engine and none answers at the usual sockets of this machine."""


def chosen(environ: Mapping[str, str], url: str | None = None) -> Choice:
    """Return the engine of `url` (the option --engine), DOCKER_HOST, DOCKER_CONTEXT, config.json or a usual socket.

    The first of them that says something wins; an empty variable says nothing. Raises UsageError for a context or a
    certificate that is not there or cannot be read.
    """
    if url:
        return Choice(credentials_of(environ, url), "the option --engine")
    if host := environ.get("DOCKER_HOST"):
        return Choice(credentials_of(environ, host), "DOCKER_HOST")
    name, where = environ.get("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
    if not name:
        current, where = docker_config(environ).get("currentContext"), "currentContext in config.json"
        if current and not isinstance(current, str):
            raise UsageError("currentContext in config.json is no text", hint="`docker context use` sets it")
        name = current
    if name and name != DEFAULT:
        host, tls = read_context(environ, name)
        return Choice(credentials_of(environ, host, tls), f"the context {name} ({where})")
    path = answering_socket(environ)
    if path in (None, DEFAULT_SOCKET):
        return Choice(credentials_of(environ), "the default socket", found=path is not None)
    return Choice(
        credentials_of(environ, f"unix://{path}"),
        f"the socket {path}, since none answers at {DEFAULT_SOCKET}",
    )
