"""Output of real containers in all its forms, through the step: characters, long lines, empty lines, terminals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.reliability_lab import Way, steps_forgotten
from tests.lab.engine import LabEngine
from tests.lab.fixtures import MakeContainer

__all__ = ["steps_forgotten"]

pytestmark = pytest.mark.engine

LONG = ["a" * 16383, "b" * 16384, "c" * 16385, "d" * 32768, "e" * 100_000]
# Characters of two to four bytes after an odd one: any cut at a power of two goes through one of them.
CHARACTERS = ["x" + "ä€😀" * 9000, "ü" * 20_000]
# The log driver json-file itself spoils a character where it cuts a line into pieces of 16 KiB: none that long in logs.
LOGGED = [*LONG, "", "short", "", "", "ä€😀" * 1500, "end"]
SPOKEN = [*LONG, "", "short", "", "", *CHARACTERS, "end"]
MOST = "4000000"


@pytest.fixture
def way(engine_lab: LabEngine, tmp_path: Path) -> Way:
    return Way(engine_lab, engine_lab.url, tmp_path)


@pytest.fixture(params=[False, True], ids=["plain", "terminal"])
def tty(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def written(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def holding(way: Way, container: str, lines: list[str]) -> str:
    """The container, with the lines in its file /tmp/text."""
    file = {"name": "text", "content": written(lines)}
    way.do("PutContainerArchive", {"id": container, "path": "/tmp", "file": file})
    return container


@pytest.fixture
def logged(way: Way, make_container: MakeContainer, tty: bool) -> str:
    """A container that has said all of LOGGED."""
    made = holding(way, make_container(["cat", "/tmp/text"], Tty=tty), LOGGED)
    way.lab.wire.do("POST", f"/containers/{made}/start")
    assert way.lab.wait(made) == 0
    return made


@pytest.mark.parametrize("timestamps", [False, True], ids=["untimed", "timed"])
@pytest.mark.parametrize("follow", [False, True], ids=["once", "followed"])
def test_every_line_of_a_log_is_whole(way: Way, logged: str, timestamps: bool, follow: bool) -> None:
    told = way.do("ContainerLogs", {"id": logged, "timestamps": timestamps, "follow": follow})
    assert [line["text"] for line in told["results"]] == LOGGED
    assert not any("lossy" in line for line in told["results"])
    assert all(bool(line["time"]) is timestamps for line in told["results"])
    assert "truncated" not in told


def test_an_attached_step_hears_the_same_text(way: Way, logged: str) -> None:
    heard = way.do("ContainerAttach", {"id": logged, "logs": True, "stdout": True})
    assert heard["stdout"].replace("\r\n", "\n") == written(LOGGED)


def test_a_command_says_characters_that_are_cut_by_frames(
    way: Way, run_container: MakeContainer, tty: bool
) -> None:
    made = holding(way, run_container(), SPOKEN)
    command: dict[str, Any] = {"Cmd": ["cat", "/tmp/text"], "Tty": tty}
    prepared = way.do("ContainerExec", {"id": made, "requestBody": command})["Id"]
    heard = way.do("ExecStart", {"id": prepared}, maxBytes=MOST)
    assert heard["stdout"].replace("\r\n", "\n") == written(SPOKEN)
    assert heard["text"] == heard["stdout"]


def test_an_attached_step_hears_characters_that_are_cut_by_frames(
    way: Way, run_container: MakeContainer
) -> None:
    made = holding(way, run_container(["sh", "-c", "read go; cat /tmp/text"], OpenStdin=True), SPOKEN)
    heard = way.do("ContainerAttach", {"id": made, "stdinText": "go\n"}, maxBytes=MOST)
    assert heard["stdout"] == written(SPOKEN)


def test_bytes_that_are_no_text_become_marks(way: Way, run_container: MakeContainer) -> None:
    made = run_container(
        ["sh", "-c", "printf 'caf\\351\\nok\\n'; read go; printf 'caf\\351\\n'"], OpenStdin=True
    )
    heard = way.do("ContainerAttach", {"id": made, "stdinText": "go\n"})
    assert heard["stdout"] == "caf\ufffd\n"
    told = way.do("ContainerLogs", {"id": made, "tail": 2})["results"]
    assert [line["text"] for line in told] == ["ok", "caf\ufffd"]


def test_one_message_a_line_tells_the_same(way: Way, run_container: MakeContainer) -> None:
    made = run_container(["sh", "-c", "echo one; echo; echo three"])
    way.lab.wait(made)
    outcome = way.run("ContainerLogs", {"id": made}, emitBehavior="emitIndividually")
    assert [body["text"] for body in outcome.bodies] == ["one", "", "three"]
