"""Commands and attached containers fed by a step: much in and out at once, over each kind of connection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.reliability_lab import Way, steps_forgotten
from tests.lab.engine import LabEngine

__all__ = ["steps_forgotten"]

pytestmark = pytest.mark.engine

MUCH = 3_000_000
MOST = str(2 * MUCH)
# Lines of different lengths, so that a piece lost or doubled shows.
TEXT = "".join(f"{number} {'x' * (number % 97)}\n" for number in range(70_000))[:MUCH]
ENDING = "cat; echo done >&2; exit 3"


def tls(engine: LabEngine) -> dict[str, str]:
    known = engine.certificates
    return {
        "tlsCa": known.ca.read_text(),
        "tlsCertificate": known.client.read_text(),
        "tlsKey": known.client_key.read_text(),
    }


@pytest.fixture(params=["unix", "tcp", "mtls"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    lab: LabEngine = request.getfixturevalue("tls_engine" if request.param == "mtls" else "engine_lab")
    if request.param == "mtls":
        return Way(lab, lab.tcp_url, tmp_path, credential=tls(lab))
    return Way(lab, lab.url if request.param == "unix" else lab.tcp_url, tmp_path)


@pytest.fixture
def sleeping(way: Way) -> Iterator[str]:
    container = way.lab.run()
    yield container
    way.lab.remove(container)


def execute(way: Way, container: str, command: str, *, tty: bool = False, **stdin: Any) -> dict[str, Any]:
    body = {"Cmd": ["sh", "-c", command], "AttachStdin": True, "Tty": tty}
    made = way.do("ContainerExec", {"id": container, "requestBody": body})["Id"]
    attachments = stdin.pop("attachments", None)
    heard: dict[str, Any] = way.do("ExecStart", {"id": made, **stdin}, attachments=attachments, maxBytes=MOST)
    return heard


@pytest.mark.parametrize("source", ["text", "attachment"])
def test_a_command_gives_all_of_its_input_back(way: Way, sleeping: str, source: str) -> None:
    given: dict[str, Any] = {"stdin": TEXT}
    if source == "attachment":
        given = {"stdinAttachment": "words", "attachments": {"words": TEXT.encode()}}
    heard = execute(way, sleeping, ENDING, **given)
    assert heard["stdout"] == TEXT
    assert (heard["stderr"], heard["exitCode"], heard["running"]) == ("done\n", 3, False)
    assert "truncated" not in heard


def test_a_command_that_speaks_before_it_listens_is_heard_to_the_end(way: Way, sleeping: str) -> None:
    heard = execute(way, sleeping, "head -c 3000000 /dev/zero | tr '\\0' a; wc -c; exit 4", stdin=TEXT)
    assert heard["stdout"] == "a" * 3_000_000 + f"{len(TEXT)}\n"
    assert heard["exitCode"] == 4


def test_a_command_that_leaves_its_input_ends_with_its_code(way: Way, sleeping: str) -> None:
    heard = execute(way, sleeping, "head -n 1; exit 5", stdin=TEXT)
    assert (heard["stdout"], heard["exitCode"]) == ("0 \n", 5)


def test_the_terminal_of_a_command_takes_its_input(way: Way, sleeping: str) -> None:
    heard = execute(way, sleeping, "stty -echo; wc -l; exit 6", tty=True, stdin="one\ntwo\n")
    assert heard["text"].split()[-1] == "2"
    assert heard["exitCode"] == 6


@pytest.mark.parametrize("tty", [False, True])
def test_a_command_that_waits_for_input_sees_its_end_where_there_is_none(
    way: Way, sleeping: str, tty: bool
) -> None:
    """fault 8.9: it ran to the limit of 300 seconds."""
    heard = execute(way, sleeping, "cat; echo ended; exit 7", tty=tty)
    assert (heard["exitCode"], heard["running"]) == (7, False)
    assert "ended" in heard["stdout"]
    assert "truncated" not in heard


@pytest.mark.parametrize("key", ["ContainerAttach", "ContainerAttachWebsocket"])
def test_a_container_whose_input_is_taken_over_sees_its_end_where_there_is_none(way: Way, key: str) -> None:
    """fault 8.9."""
    container = way.lab.run(["sh", "-c", "cat; echo ended; exit 7"], OpenStdin=True, StdinOnce=True)
    heard = way.do(key, {"id": container, "stdin": True})
    assert (heard["stdout"], heard["exitCode"]) == ("ended\n", 7)
    way.lab.remove(container)


@pytest.mark.parametrize("source", ["text", "attachment"])
def test_an_attached_container_gives_all_of_its_input_back(way: Way, source: str) -> None:
    container = way.lab.run(["sh", "-c", ENDING], OpenStdin=True, StdinOnce=True)
    given = {"stdinText": TEXT} if source == "text" else {"stdinAttachment": "words"}
    attachments = {"words": TEXT.encode()} if source == "attachment" else None
    heard = way.do("ContainerAttach", {"id": container, **given}, attachments=attachments, maxBytes=MOST)
    assert heard["stdout"] == TEXT
    assert (heard["stderr"], heard["exitCode"], heard["running"]) == ("done\n", 3, False)
    way.lab.remove(container)


def test_a_websocket_gives_all_of_its_input_back(way: Way) -> None:
    container = way.lab.run(["sh", "-c", "cat; exit 3"], OpenStdin=True, StdinOnce=True)
    heard = way.do("ContainerAttachWebsocket", {"id": container, "stdinText": TEXT}, maxBytes=MOST)
    assert heard["stdout"] == TEXT
    assert heard["exitCode"] == 3
    way.lab.remove(container)


def test_an_attached_container_that_goes_away_by_itself_is_heard_to_the_end(way: Way) -> None:
    command = ["sh", "-c", ENDING]
    container = way.lab.run(command, OpenStdin=True, StdinOnce=True, HostConfig={"AutoRemove": True})
    heard = way.do("ContainerAttach", {"id": container, "stdinText": "hello\n"})
    assert (heard["stdout"], heard["stderr"]) == ("hello\n", "done\n")
    assert heard["running"] is False
    assert heard["exitCode"] in (3, None)  # gone with the container, or seen just before


def test_output_beyond_the_limit_is_said_to_be_cut_and_fits_into_a_message(way: Way, sleeping: str) -> None:
    made = way.do("ContainerExec", {"id": sleeping, "requestBody": {"Cmd": ["yes"]}})["Id"]
    heard = way.do("ExecStart", {"id": made})
    assert heard["truncated"] == "maxBytes"
    assert len(heard["stdout"]) > 2_000_000
