from __future__ import annotations

from pathlib import Path

import pytest

from lib.local.engine.pem_files import with_pem_files
from lib.local.problems import UsageError


def test_fault_8_27_files_of_certificates_are_read_here_and_only_here(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    text = "-----BEGIN PRIVATE KEY-----"

    config = with_pem_files({"tlsCa": f" {tmp_path}/ca.pem", "tlsKey": text, "server": str(tmp_path)})

    assert config == {"tlsCa": "-----BEGIN CERTIFICATE-----", "tlsKey": text, "server": str(tmp_path)}


@pytest.mark.parametrize("path", ["/dev/zero", "/", "/nonexistent/ca.pem", "a\0b"])
def test_fault_8_27_what_is_no_readable_file_is_named(path: str) -> None:
    with pytest.raises(UsageError):
        with_pem_files({"tlsCa": path})
