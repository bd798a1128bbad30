"""Commands in running containers."""

from __future__ import annotations

import base64

import pytest

from tests.integration.operations.proving import Body, Make, Names, failure, refusals, success
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine


def prepared(site: Site, container: str, *command: str, **settings: object) -> str:
    made: str = site.do(
        "ContainerExec", {"id": container, "requestBody": {"Cmd": list(command), **settings}}
    )["Id"]
    return made


@success("ContainerExec", "ExecStart", "ExecInspect")
def test_a_command_says_something_and_ends_with_a_code(site: Site, running: str) -> None:
    made = prepared(site, running, "sh", "-c", "echo out; echo err >&2; exit 5")
    heard = site.do("ExecStart", {"id": made})
    assert (heard["stdout"], heard["stderr"], heard["exitCode"]) == ("out\n", "err\n", 5)
    assert site.do("ExecInspect", {"id": made})["ExitCode"] == 5


@success("ExecStart")
def test_stdin_reaches_the_command_and_ends(site: Site, running: str) -> None:
    made = prepared(site, running, "wc", "-c", AttachStdin=True)
    assert site.do("ExecStart", {"id": made, "stdin": "12345"})["stdout"].strip() == "5"
    big = {"data": site.attachment(b"x" * 3_000_000)}
    made = prepared(site, running, "wc", "-c", AttachStdin=True)
    heard = site.do("ExecStart", {"id": made, "stdinAttachment": "data"}, attachments=big)
    assert heard["stdout"].strip() == "3000000"


ANY_BYTES = r"printf '\000\377\200\303(\n\001end'"


@success("ExecStart")
def test_output_of_any_bytes_is_kept_fault_8_8(site: Site, running: str) -> None:
    wanted = b"\0\xff\x80\xc3(\n\1end"
    heard = site.do("ExecStart", {"id": prepared(site, running, "sh", "-c", ANY_BYTES)})
    assert (heard["lossy"], heard["exitCode"]) == (True, 0)
    made = prepared(site, running, "sh", "-c", f"{ANY_BYTES} >&2; exit 4")
    heard = site.do("ExecStart", {"id": made}, output="base64")
    assert (base64.b64decode(heard["stderr"]), heard["stdout"], heard["exitCode"]) == (wanted, "", 4)
    made = prepared(site, running, "sh", "-c", ANY_BYTES)
    heard = site.do("ExecStart", {"id": made}, output="attachment")
    with site.storage.open(heard["attachments"]["stdout"]) as blob:
        assert b"".join(blob.chunks()) == wanted


@success("ExecStart")
def test_a_command_that_says_too_much_keeps_its_exit_code_fault_8_8(site: Site, running: str) -> None:
    made = prepared(site, running, "sh", "-c", "head -c 1048576 /dev/zero; exit 7")
    heard = site.do("ExecStart", {"id": made})
    assert (heard["truncated"], heard["exitCode"], heard["running"]) == ("messageSize", 7, False)
    assert len(heard["stdout"]) > 500_000


@success("ExecStart")
def test_the_stdin_of_a_terminal_ends_and_its_output_goes_on(site: Site, running: str) -> None:
    made = prepared(site, running, "sh", "-c", "cat; sleep 0.1; echo rest", AttachStdin=True, Tty=True)
    assert site.do("ExecStart", {"id": made, "stdin": "hello\n"})["text"].splitlines()[-1] == "rest"


@failure("ExecStart")
def test_input_for_a_command_that_was_prepared_without_is_refused(site: Site, running: str) -> None:
    """Fault 8.9: engines throw it away, and the exit code is 0."""
    made = prepared(site, running, "wc", "-c")
    told = site.fails("ExecStart", {"id": made, "stdin": "12345"}, "BadInput")
    assert told.startswith('stdin ("Input text"): ')
    assert "AttachStdin: true" in told
    assert site.do("ExecInspect", {"id": made})["Running"] is False
    assert site.do("ExecStart", {"id": made})["stdout"].strip() == "0"


@success("ExecStart")
def test_a_command_without_input_does_not_wait_for_any(site: Site, running: str) -> None:
    """Fault 8.9: without AttachStdin the command sees the end of its input at once."""
    heard = site.do("ExecStart", {"id": prepared(site, running, "cat")}, maxSeconds="60")
    assert (heard["text"], heard["exitCode"]) == ("", 0)
    assert "truncated" not in heard


@success("ExecStart")
def test_a_detached_command_says_nothing(site: Site, running: str) -> None:
    made = prepared(site, running, "sleep", "0.01")
    told = site.do("ExecStart", {"id": made, "requestBody": {"Detach": True}})
    assert set(told) == {"exitCode", "running"}


@success("ExecStart", "ExecResize")
def test_a_terminal_of_a_command_is_resized(site: Site, running: str) -> None:
    made = prepared(site, running, "sleep", "600", Tty=True)
    heard = site.do("ExecStart", {"id": made}, maxSeconds="5")
    assert heard["truncated"] == "maxSeconds"
    assert heard["running"] is True
    assert site.do("ExecResize", {"id": made, "h": 20, "w": 70}) == {}


@failure("ExecStart")
def test_a_program_that_is_not_there_ends_with_a_code(site: Site, running: str) -> None:
    made = prepared(site, running, "no-such-program")
    outcome = site.run("ExecStart", {"id": made}, errorPolicy="throwError")
    codes = [body["exitCode"] for body in outcome.bodies]
    names = [error["name"] for error in outcome.errors]
    assert codes in ([126], [127]) or names in (["Refused"], ["EngineFault"])


@refusals(
    ContainerExec=({"id": "nothing", "requestBody": {"Cmd": ["true"]}}, "NotFound"),
    ExecStart=({"id": "nothing"}, "NotFound"),
    ExecInspect=({"id": "nothing"}, "NotFound"),
    ExecResize=({"id": "nothing", "h": 1, "w": 1}, "NotFound"),
)
def test_what_cannot_be_done(site: Site, key: str, body: Body, names: Names) -> None:
    site.fails(key, body, *names)


@failure("ContainerExec")
def test_no_command_runs_in_a_stopped_container(site: Site, create: Make) -> None:
    body = {"id": create(), "requestBody": {"Cmd": ["true"]}}
    site.fails("ContainerExec", body, "Conflict", "EngineFault")
