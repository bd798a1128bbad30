"""Kinds of connections under a conversation: a unix socket, or TLS on the loopback."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from tests.engine.scripted_peer import Authority, Script, talking


class Kind:
    """`server` and `client` are the contexts of TLS, None over a unix socket."""

    def __init__(self, folder: str, authority: Authority | None) -> None:
        self.folder = folder
        self.server = authority and authority.server
        self.client = authority and authority.client

    def talking(self, script: Script) -> AbstractContextManager[Any]:
        """Run a script with the first connection; yields how to connect."""
        return talking(script, self.folder, self.server)
