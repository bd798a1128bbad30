"""Opens an engine by the fields of a credential: address, TLS, SSH, API version, registry logins, access mode.

Engines are kept for the life of the process, one for each different credential, so that steps and messages share
connections and the negotiated version.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from lib.config.form import Labelled, choice
from lib.config.labels import add_label
from lib.engine import Endpoint, Engine, Registries, Version
from lib.engine.endpoint import DEFAULT_SOCKET
from lib.engine.errors import BadInput
from lib.engine.host import host_name
from lib.engine.proxy import Proxy
from lib.engine.request.build_secrets import build_secrets
from lib.engine.ssh import Ssh
from lib.engine.text import utf8

# Values of `server` that the older connector stored: the index of the chosen entry, or its text.
_SERVERS = {
    "0": "http://docker.local/v1.33",
    "1": "https://docker.local/v1.33",
    "unix": f"unix://{DEFAULT_SOCKET}",
}
_CUSTOM = ("", "2", "--- custom url", "custom")
_KEYS = (
    "server",
    "otherServer",
    "tlsCa",
    "tlsCertificate",
    "tlsKey",
    "tlsKeyPassword",
    "tlsVerify",
    "tlsServerName",
    "proxy",
    "proxyUser",
    "proxyPassword",
    "sshUser",
    "sshKey",
    "sshKeyPassword",
    "sshHostKey",
    "sshHostKeyCheck",
    "apiVersion",
    "registries",
    "buildSecrets",
    "accessMode",
)
_engines: dict[str, Engine] = {}
_opening = threading.Lock()


def open_engine(
    config: Mapping[str, Any],
    *,
    cancelled: threading.Event | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Engine:
    """Return the engine of a step's configuration, for one message.

    Equal credentials share connections and versions. `cancelled` and `warn` belong to the message: the event ends its
    calls, and `warn` gets texts for the log. Raises BadInput with the field of the credential that is missing or
    wrong.
    """
    identity = repr([config.get(key) for key in _KEYS])
    engine = _engines.get(identity)
    if engine is None:
        with _opening:  # the first messages may come at the same time
            engine = _engines.get(identity)
            if engine is None:
                engine = _engines[identity] = new_engine(config)
    return engine.serving(cancelled, warn)


def server_url(config: Mapping[str, Any]) -> str:
    """Return the engine's address: that in `server`, or in `otherServer` if `server` is empty or custom.

    Raises BadInput if `otherServer` is missing.
    """
    server = _server(config)
    other = str(config.get("otherServer") or "").strip()
    if server in _SERVERS:
        return _SERVERS[server]
    if server.lower() not in _CUSTOM:
        return server
    if not other:
        raise BadInput(
            "otherServer is missing",
            field="otherServer",
            hint="Give the engine's address, such as https://engine.example.org:2376, or choose a server",
        )
    return other


def _server(config: Mapping[str, Any]) -> str:
    # The index of an entry may be a number, also 0, which is false in Python.
    return "" if config.get("server") is None else str(config["server"]).strip()


def new_engine(
    config: Mapping[str, Any],
    *,
    cancelled: threading.Event | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Engine:
    """Return a new engine that is not shared; the caller has to close it. Raises BadInput as `open_engine`."""
    try:
        return _new_engine(config, cancelled=cancelled, warn=warn)
    except BadInput as fault:
        if isinstance(config, Labelled) and fault.field:
            add_label(fault, config.labels.get(fault.field.partition(".")[0]))
        raise


def _new_engine(
    config: Mapping[str, Any], *, cancelled: threading.Event | None, warn: Callable[[str], None]
) -> Engine:
    try:
        endpoint = _endpoint(config)
    except BadInput as fault:
        if fault.field == "server" and _server(config).lower() in _CUSTOM:
            raise BadInput(
                fault.message.replace("server", "otherServer", 1), field="otherServer", hint=fault.hint
            ) from None
        raise
    return Engine(
        endpoint,
        pin=None if _is_blank(config.get("apiVersion")) else str(Version.parse(config["apiVersion"])),
        read_only=choice(config, "accessMode", ("full", "readOnly")) == "readOnly",
        registries=Registries.parse(config.get("registries")),
        build_secrets=build_secrets(config.get("buildSecrets"), "buildSecrets"),
        cancelled=cancelled,
        warn=warn,
    )


def _endpoint(config: Mapping[str, Any]) -> Endpoint:
    return Endpoint.parse(
        server_url(config),
        ca=_text(config, "tlsCa"),
        certificate=_text(config, "tlsCertificate"),
        key=_text(config, "tlsKey"),
        key_password=_text(config, "tlsKeyPassword"),
        verify=choice(config, "tlsVerify", ("verify", "skip")) == "verify",
        server_name=host_name(name, "tlsServerName") if (name := _text(config, "tlsServerName")) else None,
        proxy=Proxy.checked(
            _text(config, "proxy"), _text(config, "proxyUser"), _text(config, "proxyPassword")
        ),
        ssh=_ssh(config),
    )


def _ssh(config: Mapping[str, Any]) -> Ssh:
    return Ssh.checked(
        _text(config, "sshUser"),
        _text(config, "sshKey"),
        _text(config, "sshKeyPassword"),
        _text(config, "sshHostKey"),
        verify=choice(config, "sshHostKeyCheck", ("verify", "skip")) == "verify",
        agent=os.environ.get("SSH_AUTH_SOCK"),  # no container of a platform has one
    )


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(config: Mapping[str, Any], key: str) -> str | None:
    """Return a text field, None if it is missing or blank; raises BadInput for another type."""
    value = config.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadInput(f"{key} must be a text, not {type(value).__name__}", field=key)
    utf8(value, key)
    return value if value.strip() else None
