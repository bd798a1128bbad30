"""What a build is given over its session: logins, secrets and keys, and what nobody may see of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib.engine.buildkit.services import Asked, auth, health, secrets
from lib.engine.client import Engine
from lib.engine.request.build_secrets import build_secrets
from lib.engine.request.registry_auth import RegistryConfig
from lib.engine.request.registry_login import Login

_HIDDEN = ("password", "identitytoken", "registrytoken")
_PRINTABLE = re.compile(rb"[\x20-\x7e]{8,}")
_MOST_RUNS = 500


class Offered:
    """The methods of a session for one build; `fields` are those of ImageBuild. Raises BadInput.

    `secrets` and `hosts` tell what the engine asked for. `hidden` are texts that no message may show. `needed` names
    the inputs that cannot be given without a session.
    """

    def __init__(self, engine: Engine, fields: Mapping[str, Any]) -> None:
        given = build_secrets(fields.get("secrets"), "secrets")
        values = {**engine.build_secrets, **given}
        logins = RegistryConfig.chosen(fields, engine.registries).logins
        self.secrets = Asked(values, meant=given)
        self.hosts = Asked(logins)
        self.hidden = [text for content in values.values() for text in _texts(content)]
        self.hidden += _passwords(logins)
        self.needed = ["secrets"] if given else []
        self.methods = {**health(), **auth(logins, self.hosts), **secrets(values, self.secrets)}
        if fields.get("ssh"):  # the libraries of keys are loaded where there is one
            from lib.engine.buildkit.ssh_agent import ssh
            from lib.engine.buildkit.ssh_keys import ssh_keys, ssh_texts

            self.methods |= ssh(ssh_keys(fields["ssh"]))
            self.hidden += ssh_texts(fields["ssh"])
            self.needed.append("ssh")


def _texts(content: bytes) -> Iterator[str]:
    """Yield what a step could print of a secret: the text, or of bytes their base64 and what is readable in them."""
    try:
        yield content.decode()
    except UnicodeDecodeError:
        yield base64.b64encode(content).decode()
        runs = dict.fromkeys(match[0] for match in _PRINTABLE.finditer(content))
        yield from (run.decode() for run in list(runs)[:_MOST_RUNS])


def _passwords(logins: Mapping[str, Login]) -> list[str]:
    return [login[key] for login in logins.values() for key in _HIDDEN if login.get(key)]
