"""The address of an engine: a unix socket here or on a host with SSH, or host and port, with TLS or without."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urlsplit

from lib.engine.errors import BadInput
from lib.engine.host import host_name
from lib.engine.proxy import Proxy
from lib.engine.ssh import PORT, Ssh, ssh_of
from lib.engine.text import plain
from lib.engine.tls import Tls, tls_of
from lib.engine.version import Version

DEFAULT_SOCKET = "/var/run/docker.sock"
_NETWORKED = ("tcp", "http", "https")
_PINNED = re.compile(r"(.*)/v([0-9]+\.[0-9]+)")
_IN_PATHS = "/%:@!$&'()*+,;=~"  # not encoded in a path; a blank would end the request line
_LONGEST_SOCKET = 107  # bytes: sun_path of Linux, without its final NUL
_CODES = "/ as %2F, @ as %40, : as %3A, ? as %3F, # as %23"
_FORMS = (
    "unix:///var/run/docker.sock, tcp://host:2376, http://host:2375, https://host:2376 or ssh://user@host"
)


@dataclass(frozen=True)
class Endpoint:
    """The address of one engine.

    `scheme` is unix, http, https or ssh. `socket_path` is that of a unix socket, here or on the SSH server. `prefix`
    comes before every path. `pin` is an API version found in the URL. `user_info` is "user:password" for a proxy before
    the engine. `proxy` is the one on the way to host and port.
    """

    scheme: str
    host: str = ""
    port: int = 0
    socket_path: str = ""
    prefix: str = ""
    pin: Version | None = None
    tls: Tls | None = None
    ssh: Ssh | None = None
    user_info: str | None = field(default=None, repr=False)
    proxy: Proxy | None = None

    @classmethod
    def parse(
        cls,
        url: str,
        *,
        ca: str | None = None,
        certificate: str | None = None,
        key: str | None = None,
        key_password: str | None = None,
        verify: bool = True,
        server_name: str | None = None,
        proxy: Proxy | None = None,
        ssh: Ssh | None = None,
    ) -> Endpoint:
        """Read an address in any form that Docker's own tools accept; raises BadInput.

        The TLS settings are PEM texts and are always checked. tcp:// uses TLS if any of them is set (`verify` counts
        when it is false). If any is set, an address that has no TLS is refused; so are the settings of SSH for an
        address that is not ssh://, and a `proxy` for one that is not reached by HTTP.
        """
        text = url.strip()
        if text.startswith("/"):
            text = f"unix://{text}"
        parts = _split(text)
        tls = tls_of(
            parts.scheme, Tls.checked(ca, certificate, key, key_password, server_name, verify=verify)
        )
        if proxy and parts.scheme not in _NETWORKED:
            raise BadInput(
                f"proxy cannot be used: no HTTP proxy leads to a {parts.scheme}:// address",
                field="proxy",
                hint="Empty proxy, or give the address of an engine that listens on the network",
            )
        user_info = unquote(parts.netloc.rpartition("@")[0])
        login = ssh_of(parts.scheme, ssh or Ssh(), user_info)
        if parts.scheme == "unix":
            return cls("unix", socket_path=_socket(unquote(parts.netloc + parts.path)))
        if login:
            path = _socket(unquote(parts.path).rstrip("/"))
            return cls("ssh", parts.hostname or "", parts.port or PORT, socket_path=path, ssh=login)
        prefix, pin = _path(parts.path)
        return cls(
            "https" if tls else "http",
            host=parts.hostname or "",
            port=_port(parts, tls=bool(tls)),
            prefix=prefix,
            pin=pin,
            tls=tls,
            user_info=user_info or None,
            proxy=proxy,
        )

    @property
    def way(self) -> str:
        """The address for errors, with the proxy on the way to it."""
        return f"{self} through the proxy {self.proxy}" if self.proxy else str(self)

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{self.socket_path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.ssh:
            return f"ssh://{self.ssh.user}@{host}:{self.port}{self.socket_path}"
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"


def _split(text: str) -> SplitResult:
    plain(text, "server", line=True)  # urlsplit would drop line breaks silently
    # The parser's own error is not repeated: it quotes pieces of the address, perhaps of a password.
    hint = f"Signs of a user or password are written in percent codes: {_CODES}" if "@" in text else None
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for a bad port
    except ValueError:
        raise BadInput(
            f"server: the address is malformed, or its port is none; it must look like {_FORMS}",
            field="server",
            hint=hint,
        ) from None
    if parts.scheme not in ("unix", "tcp", "http", "https", "ssh"):
        raise BadInput(f"server: the address must look like {_FORMS}", field="server")
    if parts.query or parts.fragment:
        raise BadInput("server: the address must end before '?' or '#'", field="server", hint=hint)
    if "@" in parts.path and parts.scheme != "unix":
        # http://user:pass/word@host would connect to a host named "user".
        raise BadInput("server: there is an @ behind the host", field="server", hint=hint)
    if parts.scheme != "unix" and not parts.hostname:
        raise BadInput(f"server: the address names no host; it must look like {_FORMS}", field="server")
    if parts.scheme != "unix":
        host_name(parts.hostname or "", "server")
        if parts.port == 0:
            raise BadInput("server: the port must be from 1 to 65535", field="server")
    return parts


def _socket(path: str) -> str:
    plain(path, "server", line=True)
    if len(path.encode()) > _LONGEST_SOCKET:
        raise BadInput(
            f"server: the path of a socket has at most {_LONGEST_SOCKET} bytes, this one {len(path.encode())}",
            field="server",
            hint="Link it to a shorter path",
        )
    return path or DEFAULT_SOCKET


def _path(path: str) -> tuple[str, Version | None]:
    path = quote(path.rstrip("/"), safe=_IN_PATHS)
    match = _PINNED.fullmatch(path)
    return (match[1], Version.parse(match[2], field="server")) if match else (path, None)


def _port(parts: SplitResult, *, tls: bool) -> int:
    if parts.port:
        return parts.port
    if parts.scheme == "tcp":
        return 2376 if tls else 2375
    return 443 if tls else 80
