"""docs/operations-guide.md: the five commands that make an engine with TLS, run as they stand."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from tests.lab.certificates import Certificates
from tests.lab.engine import LabEngine
from tests.lab.skipping import missing
from tests.local.pages import marked, shell, workplace

COMMANDS = [block.text for block in marked("run by", "docs/operations-guide.md")]
PORT = "2376"

pytestmark = pytest.mark.engine


def options(command: str, folder: Path) -> dict[str, Any]:
    """The options of dockerd as daemon.json has them; files are those of the folder, addresses are the lab's."""
    program, *given = shlex.split(command)
    assert program == "dockerd"
    found: dict[str, Any] = {}
    for option in given:
        name, _, value = option.removeprefix("--").partition("=")
        found[name] = str(folder / value) if value else True
    assert found.pop("host").endswith(f"0.0.0.0:{PORT}")
    return found


def test_five_commands_make_an_engine_that_only_holders_of_a_certificate_reach(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        missing("openssl is not installed")
    assert len(COMMANDS) == 5
    *certificates, daemon, look = COMMANDS
    folder = workplace(tmp_path)
    for command in certificates:
        done = shell(command, folder)
        assert done.returncode == 0, done.stderr

    wanted = options(daemon, tmp_path)
    made = Certificates(
        *(tmp_path / name for name in ("ca.pem", "server.pem", "server-key.pem", "cert.pem", "key.pem")),
        *[tmp_path / "none.pem"] * 4,
    )
    assert made.daemon_settings() == {"tls": True, **wanted}
    try:
        engine = LabEngine.begin(certificates=made)
    except (PrivateEngineError, LocalImageError) as problem:
        missing(str(problem))
    try:
        port = engine.tcp_url.rpartition(":")[2]
        done = shell(look.replace(PORT, port), folder)
        stranger = shell(look.replace(PORT, port).replace("DOCKER_CERT_PATH=. ", ""), folder)
    finally:
        engine.close()

    assert done.returncode == 0, done.stderr
    assert f"https://localhost:{port}" in done.stdout
    assert engine.version in done.stdout
    assert stranger.returncode == 1
