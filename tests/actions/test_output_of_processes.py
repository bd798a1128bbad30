"""Output of processes: whatever its bytes are, it is kept, told and fits into the message (fault 8.8)."""

from __future__ import annotations

import base64
import random
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.settings import Settings
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.conftest import Run
from tests.actions.stepping import FAST, Outcome, run_step
from tests.engine.scripted import HEAD, Act, Scripted, answer, piece, say, say_and_close

UPGRADED = (
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
)
FRAMED = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n"
PREPARED = answer(b'{"ProcessConfig":{"tty":false},"Running":false,"OpenStdin":false}')
DONE = answer(b'{"Running":false,"ExitCode":3}')
CONFIG = answer(b'{"Config":{"Tty":false}}')
ANY_BYTES = random.Random(1).randbytes(300)
FRAME = 32_768


def framed(data: bytes, stream: int = 1) -> bytes:
    pieces = [data[start : start + FRAME] for start in range(0, len(data), FRAME)]
    return b"".join(bytes([stream, 0, 0, 0]) + len(one).to_bytes(4) + one for one in pieces)


def command(*frames: bytes) -> list[Act]:
    """A command that writes these frames and ends with code 3."""
    return [say(PREPARED), say_and_close(UPGRADED + b"".join(frames)), say(DONE)]


def log(*frames: bytes) -> list[Act]:
    body = FRAMED + b"Transfer-Encoding: chunked\r\n\r\n" + piece(b"".join(frames)) + b"0\r\n\r\n"
    return [say(CONFIG), say(body)]


def only(outcome: Outcome) -> Any:
    assert (outcome.errors, outcome.rebounds) == ([], [])
    (body,) = outcome.bodies
    return body


EXEC = {"id": "e1"}
WEB = {"id": "web"}


def test_bytes_that_are_no_text_are_marked_fault_8_8(run: Run) -> None:
    body = only(run("ExecStart", EXEC, *command(framed(ANY_BYTES))))
    assert (body["lossy"], body["exitCode"]) == (True, 3)

    body = only(run("ExecStart", EXEC, *command(framed("größe \ufffd".encode()))))
    assert body == {
        "stdout": "größe \ufffd",
        "stderr": "",
        "text": "größe \ufffd",
        "exitCode": 3,
        "running": False,
    }


def test_a_character_stays_whole_where_the_other_stream_speaks_between_its_bytes_fault_8_8(run: Run) -> None:
    euro = "€".encode()
    body = only(run("ExecStart", EXEC, *command(framed(euro[:2]), framed(b"oh", 2), framed(euro[2:]))))
    assert (body["stdout"], body["stderr"], body["text"]) == ("€", "oh", "oh€")
    assert "lossy" not in body


def test_output_as_base64_is_byte_for_byte_fault_8_8(run: Run) -> None:
    body = only(run("ExecStart", EXEC, *command(framed(ANY_BYTES), framed(b"\0\xff", 2)), output="base64"))
    assert base64.b64decode(body.pop("stdout")) == ANY_BYTES
    assert base64.b64decode(body.pop("stderr")) == b"\0\xff"
    assert body == {"encoding": "base64", "exitCode": 3, "running": False}


def test_lines_of_a_log_as_base64_are_byte_for_byte_fault_8_8(run: Run) -> None:
    frames = framed(b"\xff\xfe\r\n"), framed(b"plain\n", 2)
    marked, plain = only(run("ContainerLogs", WEB, *log(*frames)))["results"]
    assert (marked["lossy"], plain) == (True, {"stream": "stderr", "time": None, "text": "plain"})

    lines = only(run("ContainerLogs", WEB, *log(*frames), output="base64"))["results"]
    assert [base64.b64decode(line["text"]) for line in lines] == [b"\xff\xfe", b"plain"]
    assert [line["encoding"] for line in lines] == ["base64", "base64"]


@pytest.mark.parametrize(
    ("key", "fields", "acts"), [("ExecStart", EXEC, command), ("ContainerLogs", WEB, log)]
)
def test_output_as_attachments_is_byte_for_byte_fault_8_8(
    key: str, fields: Any, acts: Any, tmp_path: Path
) -> None:
    data = ANY_BYTES * 10_000
    storage = FolderStorage(str(tmp_path / "stored"))
    with Scripted(tmp_path, *acts(framed(data), framed(b"\xff", 2))) as engine:
        config = {"server": engine.url, "output": "attachment"}
        outcome = run_step(key, fields, config, storage=storage)

    body = only(outcome)
    assert outcome.messages[0].attachments == body["attachments"]
    for name, wanted in (("stdout", data), ("stderr", b"\xff")):
        assert body["attachments"][name]["size"] == len(wanted)
        with storage.open(body["attachments"][name]) as blob:
            assert b"".join(blob.chunks()) == wanted
    assert "truncated" not in body


def test_without_storage_no_command_runs_for_attachments_fault_8_8(run: Run) -> None:
    outcome = run("ExecStart", EXEC, output="attachment")
    assert [error["name"] for error in outcome.errors] == ["BadInput"]
    assert run.requests == []


TIGHT = Settings(data_rate_limit=10**6, error_rate_limit=10**6, outgoing_message_size_limit=200_000)
RAW = Settings(
    data_rate_limit=10**6, error_rate_limit=10**6, outgoing_message_size_limit=200_000, protocol_version=2
)
HANDED_ON = {"step_0": {"body": {"a": "x" * 50_000}, "headers": {}}}


@pytest.mark.parametrize("data", [b"\0", b"\xff", b'"', b"x", "€".encode(), b"\x01\x80"])
@pytest.mark.parametrize("output", ["text", "base64"])
@pytest.mark.parametrize("runtime", [TIGHT, RAW])
@pytest.mark.parametrize("passthrough", [None, HANDED_ON])
def test_what_is_kept_fits_into_the_message_fault_8_8(
    run: Run, data: bytes, output: str, runtime: Settings, passthrough: Any
) -> None:
    sent = (data * 1_000_000)[:1_000_000]
    body = only(
        run(
            "ExecStart", EXEC, *command(framed(sent)), runtime=runtime, passthrough=passthrough, output=output
        )
    )
    assert (body["truncated"], body["exitCode"]) == ("messageSize", 3)
    assert ("lossy" in body) == (
        (output == "text" and b"\xff" in data) or (b"\x80" in data and output == "text")
    )
    kept = base64.b64decode(body["stdout"]) if output == "base64" else body["stdout"].encode()
    assert len(kept) > 2_000
    if output == "base64" or "lossy" not in body:
        assert sent.startswith(kept)


@pytest.mark.parametrize("data", [b"\0", b'"', b"x"])
@pytest.mark.parametrize("runtime", [TIGHT, RAW])
@pytest.mark.parametrize("passthrough", [None, HANDED_ON])
def test_the_lines_that_are_kept_fit_into_the_message_fault_8_8(
    run: Run, data: bytes, runtime: Settings, passthrough: Any
) -> None:
    sent = framed((data * 99 + b"\n") * 10_000)
    acts, wish = log(sent), {"maxItems": "1000000"}
    body = only(run("ContainerLogs", WEB, *acts, runtime=runtime, passthrough=passthrough, **wish))
    assert body["truncated"] == "messageSize"
    assert len(body["results"]) > 20


def test_a_line_that_no_message_can_hold_ends_the_stream_and_is_told_fault_8_8(run: Run) -> None:
    acts = log(framed(b"first\n"), framed(bytes(100_000) + b"\nlast\n"))
    outcome = run("ContainerLogs", WEB, *acts, runtime=TIGHT, emitBehavior="emitIndividually")
    first, end = outcome.bodies
    assert (first["text"], end, outcome.errors) == ("first", {"truncated": "messageSize"}, [])


def test_the_limit_of_the_step_counts_bytes_of_output_fault_8_8(run: Run) -> None:
    euros = "€".encode() * 100
    body = only(run("ExecStart", EXEC, *command(framed(euros)), maxBytes="100"))
    assert body["stdout"] == "€" * 33
    assert (body["truncated"], body["exitCode"]) == ("maxBytes", 3)


def test_a_megabyte_of_nothing_keeps_its_exit_code_fault_8_8(run: Run) -> None:
    body = only(run("ExecStart", EXEC, *command(framed(bytes(1 << 20))), runtime=FAST))
    assert (body["truncated"], body["exitCode"]) == ("messageSize", 3)
    assert body["stdout"] == body["text"] == "\0" * len(body["stdout"])


def test_a_message_without_room_runs_no_command_fault_8_8(run: Run) -> None:
    full = {"step_0": {"body": {"a": "x" * 190_000}, "headers": {}}}
    outcome = run("ExecStart", EXEC, runtime=RAW, passthrough=full)
    assert [error["name"] for error in outcome.errors] == ["LimitReached"]
    assert run.requests == []


def test_half_an_archive_is_not_kept_fault_8_34(tmp_path: Path) -> None:
    storage = FolderStorage(str(tmp_path / "stored"))
    with Scripted(tmp_path, say_and_close(HEAD + piece(b"x" * 100_000))) as engine:
        outcome = run_step("ContainerExport", {"id": "web"}, {"server": engine.url}, storage=storage)

    assert (outcome.messages, len(outcome.rebounds)) == ([], 1)
    assert list((tmp_path / "stored").iterdir()) == []
