"""A context of the docker command line: the address of an engine and its certificates, under a name.

`docker context create` writes them: `meta/<id>/meta.json` with the address and `tls/<id>/docker/{ca,cert,key}.pem`,
where the id is the SHA-256 of the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from lib.local.engine.docker_config import docker_folder, read_object
from lib.local.engine.pem_files import pem_texts
from lib.local.problems import UsageError

DEFAULT = "default"
"""The context that stands for DOCKER_HOST and the default socket; it has no file."""


def read_context(environ: Mapping[str, str], name: str) -> tuple[str, dict[str, str]]:
    """Return the address of a context's engine and its fields for TLS; raises UsageError that names the context."""
    folder = docker_folder(environ) / "contexts"
    identity = sha256(name.encode(errors="surrogateescape")).hexdigest()
    found = read_object(folder / "meta" / identity / "meta.json")
    if found is None:
        known = ", ".join(_names(folder)) or "none"
        raise UsageError(
            f"there is no context {name!r}", hint=f"`docker context ls` tells them; here: {known}"
        )
    endpoints = found.get("Endpoints")
    engine = endpoints.get("docker") if isinstance(endpoints, dict) else None
    host = engine.get("Host") if isinstance(engine, dict) else None
    if not isinstance(host, str) or not host:
        raise UsageError(
            f"the context {name!r} names no Docker Engine", hint="`docker context inspect` shows it"
        )
    hint = f"It belongs to the context {name}"
    tls = pem_texts(folder / "tls" / identity / "docker", hint)
    if isinstance(engine, dict) and engine.get("SkipTLSVerify") is True:
        tls["tlsVerify"] = "skip"
    return host, tls


def _names(folder: Path) -> list[str]:
    try:
        found = [read_object(entry / "meta.json") for entry in (folder / "meta").iterdir()]
    except OSError:
        return []
    return sorted(str(one["Name"]) for one in found if one and one.get("Name"))
