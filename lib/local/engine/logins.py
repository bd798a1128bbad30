"""The logins to registries that the docker command line has, for the field `registries` of the credential.

They stand in config.json, or a credential helper has them: the program `docker-credential-NAME` takes a server's name
on stdin and answers with JSON. `credHelpers` names a helper for a registry, `credsStore` one for all others; the
command line notes in `auths` where it is logged in, with an empty entry.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, cast

from lib.local.engine.docker_config import docker_config

LONGEST = 64 * 1024
"""Bytes of a helper's answer; tokens of cloud registries have some thousand."""
PATIENCE = 30.0
"""Seconds that a helper has, which may ask its user for a password."""
_TOKEN = "<token>"  # noqa: S105 - the user name by which a helper says that it gives a token
_PROGRAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def logins(environ: Mapping[str, str], note: Callable[[str], None]) -> dict[str, dict[str, str]]:
    """Return login by server from config.json and the helpers that it names.

    A helper that fails is told by `note` and leaves its server without a login, as with the docker command line. Raises
    UsageError for a config.json that cannot be read.
    """
    config = docker_config(environ)
    entries, store, helpers = (config.get(key) for key in ("auths", "credsStore", "credHelpers"))
    written = {server: one for server, one in _of(entries).items() if isinstance(one, dict)}
    named = {server: name for server, name in _of(helpers).items() if isinstance(name, str)}
    found = {server: one for server, one in written.items() if one and server not in named}
    if isinstance(store, str) and store:
        named = {**{server: store for server in written if server not in found}, **named}
    for server, name in named.items():
        login = _asked(environ, name, server, note)
        if login:
            found[server] = login
    return found


def _of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _asked(
    environ: Mapping[str, str], name: str, server: str, note: Callable[[str], None]
) -> dict[str, str] | None:
    program = f"docker-credential-{name}"
    if not _PROGRAM.fullmatch(name):
        note(f"config.json names a credential helper that cannot be one; no login to {server}")
        return None
    try:
        answer = _output(environ, program, server)
    except OSError as error:
        note(f"{program} cannot be run: {error.strerror}; no login to {server}")
        return None
    try:
        told = json.loads(answer)
        user, secret = told["Username"], told["Secret"]
    except (ValueError, LookupError, TypeError, RecursionError):
        note(f"{program} has no login to {server}")  # its answer is not shown: it may hold one
        return None
    if not (isinstance(user, str) and isinstance(secret, str) and secret):
        note(f"{program} has no login to {server}")
        return None
    return {"identitytoken": secret} if user == _TOKEN else {"username": user, "password": secret}


def _output(environ: Mapping[str, str], program: str, server: str) -> bytes:
    """Return what the helper prints; nothing if it fails, prints more than LONGEST, or takes longer than PATIENCE."""
    with subprocess.Popen(
        [program, "get"],
        env=dict(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        late = threading.Timer(PATIENCE, process.kill)
        late.start()
        try:
            return _spoken(process, server)
        finally:
            process.kill()
            late.cancel()


def _spoken(process: subprocess.Popen[bytes], server: str) -> bytes:
    stdin, stdout = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
    with suppress(BrokenPipeError), stdin:  # a helper of one server may answer without reading which it is
        stdin.write(server.encode(errors="replace"))
    answer = stdout.read(LONGEST + 1)
    if len(answer) > LONGEST:
        return b""
    return answer if process.wait() == 0 else b""
