"""Where an engine is: a unix socket, TCP, or TLS with its certificates, maybe behind a path prefix."""

from __future__ import annotations

import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urlsplit

from lib.engine.errors import BadInput
from lib.engine.host import host_name
from lib.engine.pem import pem
from lib.engine.request.text import plain
from lib.engine.version import Version

DEFAULT_SOCKET = "/var/run/docker.sock"
_PINNED = re.compile(r"(.*)/v([0-9]+\.[0-9]+)")
_IN_PATHS = "/%:@!$&'()*+,;=~"  # as they stand; a blank would end the request line
_LONGEST_SOCKET = 107  # sun_path of Linux, without its final NUL
_FORMS = "unix:///var/run/docker.sock, tcp://host:2376, http://host:2375 or https://host:2376"


@dataclass(frozen=True)
class Tls:
    """Certificates as PEM text; `verify` false trusts anybody, `server_name` stands in for the host."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = field(default=None, repr=False)
    key_password: str | None = field(default=None, repr=False)
    verify: bool = True
    server_name: str | None = None

    def context(self) -> ssl.SSLContext:
        """Build the TLS context; a certificate or key that does not load is a BadInput naming the field."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca:
            try:
                context.load_verify_locations(cadata=self.ca)
            except ssl.SSLError as fault:
                raise BadInput("tlsCa holds no usable certificate", field="tlsCa") from fault
        else:
            context.load_default_certs()
        if self.certificate:
            self._load_identity(context)
        return context

    def _load_identity(self, context: ssl.SSLContext) -> None:
        # OpenSSL takes the pair from a file only; the file lives in memory for that moment.
        with _in_memory(f"{self.certificate}\n{self.key or ''}".encode()) as path:
            try:
                context.load_cert_chain(path, password=self.key_password or "")
            except (ssl.SSLError, OSError) as fault:
                raise BadInput(
                    "tlsCertificate and tlsKey do not load as a pair",
                    field="tlsKey",
                    hint="Check that the key belongs to the certificate, and its password if it has one",
                ) from fault


@contextmanager
def _in_memory(data: bytes) -> Iterator[str]:
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("identity")
        try:
            os.write(handle, data)
            yield f"/proc/self/fd/{handle}"
        finally:
            os.close(handle)
        return
    with tempfile.NamedTemporaryFile() as file:  # mode 600
        file.write(data)
        file.flush()
        yield file.name


@dataclass(frozen=True)
class Endpoint:
    """One engine's address. `prefix` comes before every path, `pin` is a version found in the URL."""

    scheme: str
    host: str = ""
    port: int = 0
    socket_path: str = ""
    prefix: str = ""
    pin: Version | None = None
    tls: Tls | None = None
    user_info: str | None = field(default=None, repr=False)

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
    ) -> Endpoint:
        """Read an address in any of the forms that Docker's own tools take.

        PEM settings are texts or paths. tcp:// speaks TLS when any of them is given. Raises BadInput.
        """
        text = url.strip()
        if text.startswith("/"):
            text = f"unix://{text}"
        parts = _split(text)
        if parts.scheme == "unix":
            return cls("unix", socket_path=_socket(unquote(parts.netloc + parts.path)))
        wants_tls = parts.scheme == "https" or (parts.scheme == "tcp" and bool(ca or certificate))
        tls = None
        if wants_tls:
            tls = Tls(
                pem(ca, field="tlsCa", kind="CERTIFICATE") if ca else None,
                pem(certificate, field="tlsCertificate", kind="CERTIFICATE") if certificate else None,
                pem(key, field="tlsKey", kind="PRIVATE KEY") if key else None,
                key_password,
                verify,
                server_name,
            )
            if certificate and not key:
                raise BadInput("tlsCertificate is set but tlsKey is not", field="tlsKey")
        prefix, pin = _path(parts.path)
        return cls(
            "https" if tls else "http",
            host=parts.hostname or "",
            port=_port(parts, tls=bool(tls)),
            prefix=prefix,
            pin=pin,
            tls=tls,
            user_info=unquote(parts.netloc.rpartition("@")[0]) or None,
        )

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{self.socket_path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"


def _split(text: str) -> SplitResult:
    plain(text, "server", line=True)  # urlsplit drops line breaks without a word
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for a bad port
    except ValueError as fault:
        raise BadInput(f"server: the address is malformed ({fault})", field="server") from None
    if parts.scheme == "ssh":
        raise BadInput(
            "server: ssh:// addresses are not supported",
            field="server",
            hint="Forward the engine's socket (ssh -L) or let it listen with TLS, and give that address",
        )
    if parts.scheme not in ("unix", "tcp", "http", "https"):
        raise BadInput(f"server: the address must look like {_FORMS}", field="server")
    if parts.query or parts.fragment:
        raise BadInput("server: the address must end before '?' or '#'", field="server")
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
