from __future__ import annotations

import pytest
from paramiko.ecdsakey import ECDSAKey
from paramiko.hostkeys import HostKeys
from paramiko.rsakey import RSAKey

from lib.engine.errors import BadInput, SshRefused
from lib.engine.http.ssh.host_keys import KnownKeys, fingerprint
from lib.engine.http.ssh.identity import private_key
from tests.lab.ssh_server import KeyPair

PAIR, OTHER = KeyPair.made(), KeyPair.made()
KEY = private_key(PAIR.text, None)


def known(text: str, host: str = "engine.example.org", port: int = 22) -> KnownKeys:
    return KnownKeys(text, host, port)


@pytest.mark.parametrize(
    "line",
    [
        PAIR.line,
        f"{PAIR.line} root@engine",
        f"engine.example.org {PAIR.line}",
        f"192.0.2.1,engine.example.org {PAIR.line} comment",
        f"# a comment\n\n{OTHER.line}\r\n{PAIR.line}\n",
        f"other.example.org {OTHER.line}\n{HostKeys.hash_host('engine.example.org')} {PAIR.line}",
        f"{OTHER.line}\\n{PAIR.line}",
    ],
    ids=["alone", "comment", "name", "names", "several lines", "hashed name", "lost line ends"],
)
def test_a_known_key_is_recognised(line: str) -> None:
    known(line).check(KEY)


def test_a_port_of_its_own_belongs_to_the_name() -> None:
    known(f"[engine.example.org]:2222 {PAIR.line}", port=2222).check(KEY)
    with pytest.raises(BadInput) as caught:
        known(f"engine.example.org {PAIR.line}", port=2222)
    assert "name other hosts than [engine.example.org]:2222" in caught.value.message


def test_another_key_is_refused_with_both_fingerprints() -> None:
    with pytest.raises(SshRefused) as caught:
        known(OTHER.line).check(KEY)
    assert fingerprint(KEY.asbytes()) in caught.value.message
    assert fingerprint(private_key(OTHER.text, None).asbytes()) in caught.value.message


def test_a_key_of_another_host_does_not_count() -> None:
    with pytest.raises(SshRefused):
        known(f"other.example.org {PAIR.line}\n{OTHER.line}").check(KEY)


@pytest.mark.parametrize(
    "text",
    [
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 not-base64",
        PAIR.line[:-6],
        f"@cert-authority * {PAIR.line}",
        f"@revoked * {PAIR.line}",
        "ssh-dss AAAAB3NzaC1kc3MAAACBAP",
        "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "# nothing",
        "|1|x|y ssh-ed25519 AAAA",
        f"|1|x|y {PAIR.line}",
        f"* {PAIR.line}",
        "\n".join(f"h{number} {PAIR.line}" for number in range(300)),
    ],
    ids=[
        *(
            "a type",
            "a short key",
            "no base64",
            "a cut key",
            "an authority",
            "a revoked key",
            "dss",
            "a fingerprint",
        ),
        *("a comment", "a broken hash", "a broken hash and a key", "a pattern", "too many lines"),
    ],
)
def test_what_is_no_known_key_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        known(text)
    assert caught.value.field == "sshHostKey"
    assert "sshHostKey" in caught.value.message


def test_signatures_are_those_of_the_known_keys() -> None:
    rsa = RSAKey.generate(2048)
    curve = ECDSAKey.generate()
    lines = [f"{key.get_name()} {key.get_base64()}" for key in (rsa, curve)]
    keys = known("\n".join(lines))
    assert keys.signatures == ("ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
    keys.check(rsa)
    keys.check(curve)
