"""Logs of containers, and conversations with them."""

from __future__ import annotations

import pytest

from tests.integration.operations.proving import Body, Make, Names, failure, refusals, success
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine

SAY = "echo out; echo err >&2"


@success("ContainerLogs")
@pytest.mark.parametrize("tty", [False, True])
def test_lines_come_with_their_stream_and_time(site: Site, ended: Make, tty: bool) -> None:
    made = ended("sh", "-c", SAY, Tty=tty)
    results = site.do("ContainerLogs", {"id": made, "timestamps": True, "tail": 10})["results"]
    assert sorted((line["stream"], line["text"]) for line in results) == sorted(
        [("stdout", "out"), ("stdout" if tty else "stderr", "err")]
    )
    assert all(line["time"] for line in results)


@success("ContainerLogs")
def test_following_ends_at_a_limit(site: Site, start: Make) -> None:
    made = start("sh", "-c", "echo one; echo two; exec sleep 600")
    followed = site.do("ContainerLogs", {"id": made, "follow": True, "stdout": True}, maxItems="2")
    assert [line["text"] for line in followed["results"]] == ["one", "two"]
    assert followed["truncated"] == "maxItems"
    quiet = site.do("ContainerLogs", {"id": made, "follow": True}, idleSeconds="0.5")
    assert quiet["truncated"] == "idleSeconds"


@success("ContainerAttach")
def test_stdin_of_the_message_reaches_the_process(site: Site, start: Make) -> None:
    made = start("sh", "-c", "tr a-z A-Z; echo done >&2; exit 3", OpenStdin=True, StdinOnce=True)
    body = {"id": made, "stdinText": "hello\n", "stdin": True, "stdout": True, "stderr": True, "stream": True}
    heard = site.do("ContainerAttach", body)
    assert (heard["stdout"], heard["stderr"]) == ("HELLO\n", "done\n")


@success("ContainerAttach")
def test_stdin_of_an_attachment_reaches_a_terminal(site: Site, start: Make) -> None:
    made = start("sh", "-c", "stty -echo; head -n1; exit 3", OpenStdin=True, StdinOnce=True, Tty=True)
    stored = {"words": site.attachment(b"hello\n")}
    heard = site.do(
        "ContainerAttach", {"id": made, "stdinAttachment": "words", "logs": True}, attachments=stored
    )
    assert "hello" in heard["text"]
    assert heard["stderr"] == ""


@success("ContainerAttach")
def test_what_a_terminal_says_after_its_stdin_ended_is_heard(site: Site, start: Make) -> None:
    made = start("sh", "-c", "cat; sleep 0.1; echo rest", OpenStdin=True, Tty=True)
    heard = site.do("ContainerAttach", {"id": made, "stdinText": "hello\n"})
    assert heard["text"].splitlines()[-1] == "rest"


@success("ContainerAttach")
def test_stdin_that_others_may_use_later_stays_open(site: Site, start: Make) -> None:
    made = start("sh", "-c", "head -n1; sleep 0.1; echo rest", OpenStdin=True)
    assert site.do("ContainerAttach", {"id": made, "stdinText": "hello\n"})["stdout"] == "hello\nrest\n"


@success("ContainerAttach")
def test_what_was_said_before_is_heard_too(site: Site, ended: Make) -> None:
    heard = site.do("ContainerAttach", {"id": ended("sh", "-c", f"{SAY}; exit 4"), "logs": True})
    assert (heard["stdout"], heard["stderr"], heard["exitCode"]) == ("out\n", "err\n", 4)


@success("ContainerAttachWebsocket")
def test_a_websocket_carries_stdin_and_output(site: Site, start: Make) -> None:
    made = start("sh", "-c", "head -n1 | tr a-z A-Z", OpenStdin=True, StdinOnce=True)
    heard = site.do("ContainerAttachWebsocket", {"id": made, "stdinText": "hello\n", "stream": True})
    assert heard["text"] == "HELLO\n"


@success("ContainerAttach")
def test_attaching_to_what_goes_on_ends_at_a_limit(site: Site, start: Make) -> None:
    made = start("sh", "-c", "while :; do echo tick; sleep 0.1; done")
    heard = site.do("ContainerAttach", {"id": made}, maxSeconds="5")
    assert heard["running"] is True
    assert heard["truncated"] == "maxSeconds"
    assert heard["text"].startswith("tick\n")


@failure("ContainerAttach", "ContainerAttachWebsocket")
@pytest.mark.parametrize("key", ["ContainerAttach", "ContainerAttachWebsocket"])
def test_input_for_a_container_that_cannot_hear_it_is_refused(
    site: Site, running: str, ended: Make, key: str
) -> None:
    """Fault 8.9."""
    told = site.fails(key, {"id": running, "stdinText": "hello"}, "BadInput")
    assert told.startswith('stdinText ("Input text"): ')
    assert "OpenStdin: true" in told
    gone = ended("true", OpenStdin=True)
    assert "has ended" in site.fails(key, {"id": gone, "stdinText": "hello"}, "BadInput")


@refusals(
    ContainerLogs=({"id": "nothing"}, "NotFound"),
    ContainerAttach=({"id": "nothing"}, "NotFound"),
    ContainerAttachWebsocket=({"id": "nothing", "stream": True}, "NotFound"),
)
def test_what_cannot_be_done(site: Site, key: str, body: Body, names: Names) -> None:
    site.fails(key, body, *names)
