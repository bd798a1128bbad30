"""An attachment as the input of a process: opened before the process runs, and unknown in its outcome after (8.15)."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.platform.api import Platform
from lib.sailor.platform.attachments import Attachments
from lib.sailor.settings import Settings
from tests.actions.stepping import Outcome, run_step
from tests.engine.scripted import Scripted, answer, say
from tests.lab.http_source import Act, HttpSource, content, raw

EXEC = {"ProcessConfig": {"tty": False}, "OpenStdin": True, "Running": False}
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def process(peer: socket.socket) -> None:
    """Begin, and read all input."""
    peer.sendall(UPGRADED)
    while peer.recv(65536):
        pass


def executed(source: Act, tmp_path: Path) -> tuple[Outcome, list[bytes]]:
    settings = Settings(request_max_retry=0)
    storage = Attachments(settings, Platform(settings))
    inspected = say(answer(json.dumps(EXEC).encode()))
    with HttpSource(source) as server, Scripted(tmp_path, inspected, process, inspected) as engine:
        body: dict[str, Any] = {"id": "a", "stdinAttachment": "data"}
        config = {"server": engine.url, "errorPolicy": "rebound"}
        outcome = run_step(
            "ExecStart", body, config, attachments={"data": {"url": server.url}}, storage=storage
        )
        return outcome, engine.requests


@pytest.mark.parametrize(
    "source", [content(b"", "404 Not Found"), raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")]
)
def test_input_that_cannot_be_read_is_an_error_before_the_process_runs(source: Act, tmp_path: Path) -> None:
    """Fault 8.15."""
    outcome, requests = executed(source, tmp_path)
    assert [request.partition(b" ")[0] for request in requests] == [b"GET"]
    assert outcome.messages == []
    told = [*outcome.rebounds, *(error["message"] for error in outcome.errors)]
    assert len(told) == 1
    assert told[0].startswith("stdinAttachment ")


def test_input_that_breaks_while_the_process_reads_it_is_no_reason_to_run_it_again(tmp_path: Path) -> None:
    """Fault 8.15: the process has read a part of it."""
    cut = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 200_000)
    outcome, requests = executed(cut, tmp_path)
    assert [request.partition(b" ")[0] for request in requests][:2] == [b"GET", b"POST"]
    assert outcome.rebounds == []
    assert [error["name"] for error in outcome.errors] == ["OutcomeUnknown"]
    assert "stdinAttachment 'data'" in outcome.errors[0]["message"]
