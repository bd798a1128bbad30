"""The TLS settings of a credential: checks them, refuses them for an address without TLS, loads them."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lib.engine.errors import BadInput
from lib.engine.host import host_name
from lib.engine.pem import pem


@dataclass(frozen=True)
class Tls:
    """Certificates and key as PEM text. `verify` False trusts any certificate; `server_name` replaces the host name."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = field(default=None, repr=False)
    key_password: str | None = field(default=None, repr=False)
    verify: bool = True
    server_name: str | None = None

    @classmethod
    def checked(
        cls,
        ca: str | None,
        certificate: str | None,
        key: str | None,
        key_password: str | None,
        server_name: str | None,
        *,
        verify: bool,
    ) -> Tls:
        """Return the settings of a credential; raises BadInput that names the wrong field."""
        for field_name, text in (("tlsKeyPassword", key_password), ("tlsServerName", server_name)):
            if text and not isinstance(text, str):
                raise BadInput(f"{field_name} must be a text", field=field_name)
        tls = cls(
            pem(ca, field="tlsCa", kind="CERTIFICATE") if ca else None,
            pem(certificate, field="tlsCertificate", kind="CERTIFICATE") if certificate else None,
            pem(key, field="tlsKey", kind="PRIVATE KEY") if key else None,
            key_password or None,
            verify,
            host_name(server_name, "tlsServerName") if server_name else None,
        )
        if certificate and not key:
            raise BadInput(
                'tlsKey is missing, and tlsCertificate ("Client certificate") is there', field="tlsKey"
            )
        return tls

    @property
    def given(self) -> tuple[str, ...]:
        """The fields of the credential that ask for TLS; tlsVerify counts when it is off, since forms switch it on."""
        values = {
            "tlsCa": self.ca,
            "tlsCertificate": self.certificate,
            "tlsKey": self.key,
            "tlsKeyPassword": self.key_password,
            "tlsVerify": not self.verify,
            "tlsServerName": self.server_name,
        }
        return tuple(name for name, value in values.items() if value)

    def context(self) -> ssl.SSLContext:
        """Return the TLS context; raises BadInput that names the field whose certificate or key does not load."""
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
        # OpenSSL reads the pair only from a file. This one is in memory, where the system can do that.
        with _in_memory(f"{self.certificate}\n{self.key or ''}".encode()) as path:
            try:
                context.load_cert_chain(path, password=self.key_password or "")
            except (ssl.SSLError, OSError, ValueError) as fault:  # ValueError: a password above 1 kB
                raise BadInput(
                    'tlsKey and tlsCertificate ("Client certificate") do not load as a pair',
                    field="tlsKey",
                    hint="Check that the key belongs to the certificate, and its password if it has one",
                ) from fault


def tls_of(scheme: str, tls: Tls) -> Tls | None:
    """Return the TLS settings for an address, or None; raises BadInput for settings that the address cannot use."""
    if scheme == "https" or (scheme == "tcp" and tls.given):
        return tls
    if tls.given:
        names = " and ".join(tls.given)
        other = "Give the address of an engine that listens with TLS (https://host:2376)"
        raise BadInput(
            f"{names} cannot be used: a {scheme}:// address has no TLS",
            field=tls.given[0],
            hint=f"{'Write https:// to use TLS' if scheme == 'http' else other}, or empty {names}",
        )
    return None


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
