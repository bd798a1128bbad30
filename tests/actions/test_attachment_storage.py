"""A storage that does not take what an engine gave (faults 8.4 and 8.15): judged by the policy, and never run again."""

from __future__ import annotations

import json
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.platform.api import Platform
from lib.sailor.platform.attachments import Attachments
from lib.sailor.settings import Settings
from tests.actions.stepping import Outcome, run_step
from tests.engine.scripted import Act, Scripted, answer, say
from tests.lab.http_source import HttpSource, content, redirect

ARCHIVE = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nContent-Length: 1024\r\n\r\n" + bytes(1024)
EXEC = {"ProcessConfig": {"tty": False}, "OpenStdin": False, "Running": False, "ExitCode": 0}
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def said(peer: socket.socket) -> None:
    """A process that says something and ends."""
    peer.sendall(UPGRADED + struct.pack(">BxxxL", 1, 3) + b"abc")
    peer.shutdown(socket.SHUT_WR)


def run(url: str, key: str, tmp_path: Path, *acts: Act, **config: str) -> Outcome:
    settings = Settings(object_storage_uri=url, object_storage_token="t", request_max_retry=0)
    storage = Attachments(settings, Platform(settings))
    with Scripted(tmp_path, *acts) as engine:
        return run_step(key, {"id": "a"}, {"server": engine.url, **config}, storage=storage)


def names(outcome: Outcome) -> list[str]:
    return [error["name"] for error in outcome.errors]


def test_an_archive_is_read_again_when_the_storage_is_back(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        outcome = run(
            f"http://127.0.0.1:{closed.getsockname()[1]}", "ContainerExport", tmp_path, say(ARCHIVE)
        )
    assert (names(outcome), len(outcome.rebounds)) == ([], 1)
    assert "cannot be stored" in outcome.rebounds[0]


@pytest.mark.parametrize("act", [redirect("http://127.0.0.1:1/login"), content(b"too much", "413 Too Large")])
def test_a_storage_that_refuses_an_archive_is_an_error(act: Any, tmp_path: Path) -> None:
    """Fault 8.4: a redirect was believed to be the storage's answer."""
    with HttpSource(act) as source:
        outcome = run(source.url, "ContainerExport", tmp_path, say(ARCHIVE))
    assert (names(outcome), outcome.rebounds) == (["NotStored"], [])


def test_a_log_is_read_again_when_the_storage_is_back(tmp_path: Path) -> None:
    log = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nContent-Length: 11\r\n\r\n"
    told = say(answer(json.dumps({"Config": {"Tty": False}}).encode()))
    with HttpSource(content(b"no", "503 Away")) as source:
        acts = [told, say(log + struct.pack(">BxxxL", 1, 3) + b"abc")]
        outcome = run(source.url, "ContainerLogs", tmp_path, *acts, output="attachment")
    assert (names(outcome), len(outcome.rebounds)) == ([], 1)


@pytest.mark.parametrize("status", ["503 Away", "403 Forbidden"])
def test_a_process_is_not_run_again_for_its_output(status: str, tmp_path: Path) -> None:
    told = say(answer(json.dumps(EXEC).encode()))
    with HttpSource(content(b"no", status)) as source:
        config = {"output": "attachment", "errorPolicy": "rebound"}
        outcome = run(source.url, "ExecStart", tmp_path, told, said, told, **config)
    assert (names(outcome), outcome.rebounds) == (["OutcomeUnknown"], [])
