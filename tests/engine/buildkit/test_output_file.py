"""An archive that an engine sends in a session: whole, cut, too long, twice."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from lib.engine import Endpoint, Engine
from lib.engine.buildkit.output_file import OutputFile
from lib.engine.buildkit.services import health
from lib.engine.buildkit.session import BuildSession
from lib.engine.errors import EngineError, StreamCut
from lib.engine.protobuf import message
from tests.engine.buildkit.asking_engine import HEALTH, Asking, session
from tests.engine.scripted import Scripted
from tests.lab.waiting import DEADLINE

SEND = "/moby.filesync.v1.FileSend/DiffCopy"


def archive(size: int = 300_000) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        member = tarfile.TarInfo("a")
        member.size = size
        tar.addfile(member, io.BytesIO(b"x" * size))
    return held.getvalue()


def send(asking: Asking, content: bytes, *, end: bool = True, piece: int = 32_768) -> int:
    stream = asking.call(SEND)
    pieces = [message((1, content[at : at + piece])) for at in range(0, len(content), piece)]
    asking.send(stream, *pieces, end=end)
    return stream


def received(tmp_path: Path, script: Any, file: OutputFile) -> Any:
    told: Queue[Any] = Queue()
    methods = {**health(), **file.methods()}
    with (
        Scripted(tmp_path, session(script, told)) as peer,
        Engine(Endpoint.parse(peer.url)) as engine,
        BuildSession(engine, methods),
    ):
        found = told.get(timeout=DEADLINE)
    if isinstance(found, Exception):
        raise found
    return found


def test_an_archive_comes_whole(tmp_path: Path) -> None:
    content = archive(6_000_000)  # longer than all windows
    with OutputFile() as file:
        answered = received(tmp_path, lambda asking: asking.answer(send(asking, content)), file)
        assert answered.code == 0
        assert b"".join(file.chunks()) == content


@pytest.mark.parametrize(
    "content", [archive()[:1_000], b"no tar" * 1_000, b""], ids=["cut", "no tar", "empty"]
)
def test_what_is_no_whole_archive_is_no_success(tmp_path: Path, content: bytes) -> None:
    with OutputFile() as file:
        received(tmp_path, lambda asking: asking.answer(send(asking, content)), file)
        with pytest.raises(EngineError):
            list(file.chunks())


def test_an_archive_without_an_end_is_cut(tmp_path: Path) -> None:
    def script(asking: Asking) -> Any:
        stream = send(asking, archive(), end=False)
        asking.h2.reset_stream(stream)
        asking.flush()
        return asking.ask(HEALTH)

    with OutputFile() as file:
        assert received(tmp_path, script, file).code == 0
        with pytest.raises(StreamCut, match="did not come whole"):
            list(file.chunks())


def test_an_archive_that_is_too_long_is_refused(tmp_path: Path) -> None:
    def script(asking: Asking) -> Any:
        return asking.answer(send(asking, archive(4_000), end=False)), asking.ask(HEALTH)

    with OutputFile(most=5_000) as file:
        refused, alive = received(tmp_path, script, file)
        assert (refused.code, alive.code) == (8, 0)
        assert "longer%20than%205000" in refused.text or "longer than 5000" in refused.text
        with pytest.raises(StreamCut):
            list(file.chunks())


def test_a_second_archive_is_refused(tmp_path: Path) -> None:
    def script(asking: Asking) -> Any:
        return asking.answer(send(asking, archive())), asking.answer(send(asking, b"x"))

    with OutputFile() as file:
        first, second = received(tmp_path, script, file)
        assert (first.code, second.code) == (0, 2)
        assert b"".join(file.chunks()) == archive()


def test_pieces_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    def script(asking: Asking) -> Any:
        stream = asking.call(SEND)
        asking.send(stream, b"\xff", end=True)
        return asking.answer(stream)

    with OutputFile() as file:
        assert received(tmp_path, script, file).code == 2
