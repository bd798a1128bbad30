"""Jobs on an engine behind SSH: several calls, conversations and archives, as at its socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.actions.stepping import forget_engines, run_step
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.ssh_server import SshServer

pytestmark = pytest.mark.engine


@pytest.fixture(params=["forwarded", "dial-stdio"])
def config(request: pytest.FixtureRequest, engine_lab: LabEngine) -> Iterator[dict[str, Any]]:
    name = "ssh_server" if request.param == "forwarded" else "closed_ssh_server"
    server: SshServer = request.getfixturevalue(name)
    yield dict(server.credential(engine_lab.socket))
    forget_engines()


def done(key: str, body: dict[str, Any], config: dict[str, Any]) -> Any:
    outcome = run_step(key, body, config)
    assert not outcome.errors, outcome.errors
    (told,) = outcome.bodies
    return told


def test_a_program_gets_its_input_and_is_heard(config: dict[str, Any]) -> None:
    body = {
        "image": IMAGE,
        "command": ["sh", "-c", "wc -c; echo err >&2; exit 3"],
        "stdinText": "x" * 300_000,
    }
    told = done("RunContainer", {**body, "okCodes": [3]}, config)
    assert (told["stdout"].strip(), told["stderr"], told["exitCode"]) == ("300000", "err\n", 3)


def test_a_command_and_files_of_a_container(config: dict[str, Any], run_container: Any) -> None:
    container = run_container()
    done(
        "CopyFilesIn",
        {"place": container, "path": "/tmp/note", "content": "hello"},
        config,
    )
    told = done("RunCommand", {"target": container, "command": ["cat", "/tmp/note"]}, config)
    assert told["stdout"] == "hello"
