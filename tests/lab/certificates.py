"""Certificates for an engine that speaks TLS, its clients, and a client that is a stranger to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

# What an engine's certificate is good for; the last is for tests of the server name.
NAMES = ("127.0.0.1", "localhost", "engine.lab")
KEY_PASSWORD = "open sesame"


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files; `ca` has signed `server` and `client`, and nobody the engine knows `stranger`."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path
    locked_key: Path  # the client's key, encrypted with KEY_PASSWORD
    stranger_ca: Path
    stranger: Path
    stranger_key: Path

    @classmethod
    def made_in(cls, folder: Path) -> Certificates:
        ours, theirs = trustme.CA(), trustme.CA()
        files = {
            "ca": ours.cert_pem.bytes(),
            "stranger_ca": theirs.cert_pem.bytes(),
            **_pair("server", ours.issue_cert(*NAMES)),
            **_pair("client", ours.issue_cert("client.lab")),
            **_pair("stranger", theirs.issue_cert("stranger.lab")),
        }
        files["locked_key"] = _locked(files["client_key"])
        for name, content in files.items():
            (folder / f"{name}.pem").write_bytes(content)
        return cls(**{name: folder / f"{name}.pem" for name in files})

    def daemon_settings(self) -> dict[str, Any]:
        """What daemon.json says of them: clients must show a certificate of `ca`."""
        return {
            "tls": True,
            "tlsverify": True,
            "tlscacert": str(self.ca),
            "tlscert": str(self.server),
            "tlskey": str(self.server_key),
        }


def _pair(name: str, issued: trustme.LeafCert) -> dict[str, bytes]:
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    return {name: chain, f"{name}_key": issued.private_key_pem.bytes()}


def _locked(key: bytes) -> bytes:
    secret = BestAvailableEncryption(KEY_PASSWORD.encode())
    return load_pem_private_key(key, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)
