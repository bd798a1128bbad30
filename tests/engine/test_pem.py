"""Faults 8.27 and 8.16: PEM fields are texts, and texts of any shape are read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.engine.errors import BadInput
from lib.engine.pem import LONGEST, pem

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = CERTIFICATE.replace("CERTIFICATE", "PRIVATE KEY")
OLD_KEY = """-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,0123456789ABCDEF0123456789ABCDEF

MIIB
-----END RSA PRIVATE KEY-----
"""


@pytest.mark.parametrize(
    "text",
    [
        CERTIFICATE,
        CERTIFICATE.replace("\n", " "),
        CERTIFICATE.replace("\n", ""),
        CERTIFICATE.replace("\n", "\\n"),
        CERTIFICATE.replace("\n", "\r\n"),
        f"subject=engine\n{CERTIFICATE}\nthanks",
        KEY + CERTIFICATE,
        f"-----BEGIN CERTIFICATE-----\nMI\n{CERTIFICATE}",
        f"-----END CERTIFICATE-----\n{CERTIFICATE}",
    ],
)
def test_a_certificate_in_all_forms(text: str) -> None:
    assert pem(text, field="tlsCa", kind="CERTIFICATE") == CERTIFICATE


def test_several_blocks_and_long_lines() -> None:
    long = CERTIFICATE.replace("MIIB", "A" * 130)
    wrapped = CERTIFICATE.replace("MIIB", "\n".join(["A" * 64, "A" * 64, "AA"]))
    assert pem(CERTIFICATE + long, field="tlsCa", kind="CERTIFICATE") == f"{CERTIFICATE}\n{wrapped}"


@pytest.mark.parametrize("text", [OLD_KEY, OLD_KEY.replace("\n", " ")])
def test_an_encrypted_key_of_the_older_form(text: str) -> None:
    assert pem(text, field="tlsKey", kind="PRIVATE KEY") == OLD_KEY


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        KEY,
        "-----BEGIN CERTIFICATE-----",
        CERTIFICATE.replace("MIIB", "M%IB"),
        CERTIFICATE.replace("MIIB", "MÜIB"),
        CERTIFICATE.replace("END CERTIFICATE", "END KEY"),
        CERTIFICATE.replace("-----\nMIIB", "MIIB"),
        "/dev/zero",
        "/etc/passwd",
        "a" * (LONGEST + 1),
        17,
        ["-----BEGIN CERTIFICATE-----"],
    ],
)
def test_fault_8_24_what_is_no_certificate_is_refused_without_being_quoted(text: object) -> None:
    with pytest.raises(BadInput) as caught:
        pem(text, field="tlsCa", kind="CERTIFICATE")
    assert caught.value.field == "tlsCa"
    assert len(str(caught.value)) < 200


def test_fault_8_27_a_file_is_never_read_and_its_existence_not_told(
    tmp_path: Path,
) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(CERTIFICATE)
    answers = set()
    for path in (file, tmp_path / "missing.pem", tmp_path):
        with pytest.raises(BadInput) as caught:
            pem(str(path), field="tlsCa", kind="CERTIFICATE")
        answers.add(str(caught.value))
    assert len(answers) == 1
