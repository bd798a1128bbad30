from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.dsa import generate_private_key as dsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, SECP256R1, SECP384R1, SECP521R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as curve
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lib.engine.errors import BadInput
from lib.engine.http.ssh.identity import private_key
from lib.engine.ssh import Ssh

KINDS: dict[str, Callable[[], object]] = {
    "ed25519": Ed25519PrivateKey.generate,
    "p256": lambda: curve(SECP256R1()),
    "p384": lambda: curve(SECP384R1()),
    "p521": lambda: curve(SECP521R1()),
    "rsa": lambda: rsa(65537, 2048),
}
FORMS = {
    "openssh": PrivateFormat.OpenSSH,
    "pkcs8": PrivateFormat.PKCS8,
    "traditional": PrivateFormat.TraditionalOpenSSL,
}
PASSWORD = "canary-password"


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key_is_read_in_each_form(kind: str, form: str, locked: bool) -> None:
    if (kind, form) == ("ed25519", "traditional"):
        return  # there is no such form
    made = KINDS[kind]()
    encryption = BestAvailableEncryption(PASSWORD.encode()) if locked else NoEncryption()
    text = made.private_bytes(Encoding.PEM, FORMS[form], encryption).decode()  # type: ignore[attr-defined]
    pasted = Ssh.checked("", text.replace("\n", " "), None, None, verify=True).key
    assert pasted
    key = private_key(pasted, PASSWORD)
    line = made.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()  # type: ignore[attr-defined]
    assert f"{key.get_name()} {key.get_base64()}" == line
    if locked:
        for wrong in (None, "another"):
            with pytest.raises(BadInput) as caught:
                private_key(pasted, wrong)
            assert caught.value.field == "sshKeyPassword"
            assert "canary" not in str(caught.value)


@pytest.mark.parametrize("kind", ["dsa", "k256"])
def test_a_kind_that_ssh_does_not_use_is_refused(kind: str) -> None:
    made = dsa(1024) if kind == "dsa" else curve(SECP256K1())
    text = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(BadInput, match="sshKey is of a kind that is not supported") as caught:
        private_key(text, None)
    assert caught.value.field == "sshKey"


@pytest.mark.parametrize("label", ["OPENSSH PRIVATE KEY", "PRIVATE KEY", "RSA PRIVATE KEY"])
def test_a_damaged_key_is_refused(label: str) -> None:
    with pytest.raises(BadInput) as caught:
        private_key(f"-----BEGIN {label}-----\nY2FuYXJ5\n-----END {label}-----\n", None)
    assert caught.value.field == "sshKey"
    assert "Y2FuYXJ5" not in str(caught.value)
