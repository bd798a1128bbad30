"""An HTTP proxy on the way to an engine: the fields `proxy`, `proxyUser` and `proxyPassword` of a credential.

It is another thing than a proxy before an engine, which speaks for the engine at the engine's address. This one is
asked with CONNECT (RFC 9110, 9.3.6) for a connection to the engine and then passes bytes on: it sees nothing of TLS.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lib.engine.errors import BadInput
from lib.engine.host import host_name
from lib.engine.text import plain

FIELD, USER, PASSWORD = "proxy", "proxyUser", "proxyPassword"
_PORT = 3128
_FORM = "http://proxy.example.org:3128"
_LONGEST_LOGIN = 4096  # characters; proxies take heads of 8 KiB and more


@dataclass(frozen=True)
class Proxy:
    """Host and port of a proxy, and its login, which no text shows."""

    host: str
    port: int
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @classmethod
    def checked(cls, address: str | None, user: str | None, password: str | None) -> Proxy | None:
        """Return the proxy of a credential, None where `address` is empty; raises BadInput with the wrong field."""
        for name, text in ((USER, user), (PASSWORD, password)):
            if text and not address:
                raise BadInput(
                    f"{name} cannot be used: {FIELD} is empty",
                    field=name,
                    hint=f"Write the proxy's address into {FIELD}, or empty {name}",
                )
        if not address:
            return None
        _check_login(user, password)
        host, port = _place(address.strip())
        return cls(host, port, user or None, password or None)

    @property
    def login(self) -> str | None:
        """The value of the header Proxy-Authorization, None without a user (RFC 7617, in UTF-8)."""
        if self.user is None:
            return None
        login = f"{self.user}:{self.password or ''}"
        return f"Basic {base64.b64encode(login.encode()).decode()}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def _place(text: str) -> tuple[str, int]:
    plain(text, FIELD, line=True)
    # The parser's own error is not repeated: it quotes pieces of the address, perhaps of a password.
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        raise BadInput(
            f"{FIELD}: the address is malformed, or its port is none; it must look like {_FORM}", field=FIELD
        ) from None
    if "@" in text:
        raise BadInput(
            f"{FIELD}: the address holds an @",
            field=FIELD,
            hint=f"Write the proxy's user into {USER} and its password into {PASSWORD}",
        )
    if parts.scheme != "http":
        raise BadInput(
            f"{FIELD}: the address must look like {_FORM}",
            field=FIELD,
            hint="Only HTTP proxies are supported, without TLS on the way to the proxy; TLS to the engine goes through",
        )
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise BadInput(f"{FIELD}: the address is a host and a port, such as {_FORM}", field=FIELD)
    if port == 0:
        raise BadInput(f"{FIELD}: the port must be from 1 to 65535", field=FIELD)
    return host_name(parts.hostname, FIELD), port or _PORT


def _check_login(user: str | None, password: str | None) -> None:
    for name, text in ((USER, user), (PASSWORD, password)):
        if text and len(plain(text, name, line=True)) > _LONGEST_LOGIN:
            raise BadInput(f"{name} is longer than {_LONGEST_LOGIN} characters", field=name)
    if user and ":" in user:
        raise BadInput(f"{USER} must not hold a colon: it would end the name", field=USER)
    if password and not user:
        raise BadInput(f"{PASSWORD} is set but {USER} is not", field=USER)
