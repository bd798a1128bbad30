"""Everything that goes to an engine goes to one behind SSH, too: by a forwarded socket, or by dial-stdio."""

from __future__ import annotations

import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.credentials import new_engine
from lib.engine import Engine
from lib.engine.attach.session import upgrade
from lib.engine.errors import EngineError, OutcomeUnknown, StreamCut, Unreachable
from lib.engine.http.retry import Retry
from lib.engine.request.upload import Upload
from tests.engine.scripted import Scripted
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.ssh_server import SshServer
from tests.lab.waiting import DEADLINE, ended, wait_until

pytestmark = pytest.mark.engine
BIG = 3_000_000


@pytest.fixture(params=["forwarded", "dial-stdio"])
def server(request: pytest.FixtureRequest) -> SshServer:
    """A server of each kind; those of one run share it."""
    name = "ssh_server" if request.param == "forwarded" else "closed_ssh_server"
    found: SshServer = request.getfixturevalue(name)
    return found


@pytest.fixture
def engine(server: SshServer, engine_lab: LabEngine) -> Iterator[Engine]:
    with new_engine(server.credential(engine_lab.socket)) as engine:
        yield engine


@pytest.fixture
def way(ssh_server: SshServer) -> Iterator[FaultyProxy]:
    """What lies between the client and the server that forwards."""
    with FaultyProxy(("127.0.0.1", ssh_server.port)) as way:
        yield way


@pytest.fixture
def distant(way: FaultyProxy, ssh_server: SshServer, engine_lab: LabEngine) -> Iterator[Engine]:
    address = f"ssh://{ssh_server.user}@{way.host}:{way.port}{engine_lab.socket}"
    with new_engine(ssh_server.credential(engine_lab.socket, server=address)) as engine:
        yield engine


def archive(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def prepared(engine: Engine, container: str, *command: str) -> str:
    body = {"Cmd": list(command), "AttachStdin": True, "AttachStdout": True}
    made: str = engine.post("/containers/{id}/exec", {"id": container, "b": body}, body="b").json()["Id"]
    return made


def attached(engine: Engine, command: str) -> Any:
    return upgrade(engine, "/exec/{id}/start", {"id": command}, body={"Detach": False, "Tty": False})


def test_answers_come_whole(engine: Engine, engine_lab: LabEngine) -> None:
    assert engine.get("/version").json()["Version"].startswith(engine_lab.version)
    assert engine.head("/_ping").status == 200
    with pytest.raises(EngineError) as caught:
        engine.get("/containers/{id}/json", {"id": "nobody"})
    assert caught.value.status == 404


def test_an_archive_goes_in_and_comes_out(engine: Engine, run_container: Any) -> None:
    fields = {"id": run_container(), "path": "/tmp"}
    sent = bytes(range(256)) * (BIG // 256)
    put = Upload([archive(data=sent)], content_type="application/x-tar")
    engine.put("/containers/{id}/archive", {**fields, "x": put}, query=("path",), body="x")
    with engine.tar("/containers/{id}/archive", {**fields, "path": "/tmp/data"}, query=("path",)) as pieces:
        packed = io.BytesIO(b"".join(pieces))
    with tarfile.open(fileobj=packed) as tar:
        content = tar.extractfile("data")
        assert content is not None
        assert content.read() == sent


def test_stdin_ends_and_output_goes_on(engine: Engine, run_container: Any) -> None:
    made = prepared(engine, run_container(), "sh", "-c", "wc -c; echo rest")
    with attached(engine, made) as connection:
        frames = list(connection.frames([b"x" * 1000] * (BIG // 1000), tty=False))
        assert connection.input_taken
    assert b"".join(payload for _, payload in frames).split() == [str(BIG).encode(), b"rest"]
    assert engine.get("/exec/{id}/json", {"id": made}).json()["ExitCode"] == 0


def test_a_command_that_reads_no_input_is_heard(engine: Engine, run_container: Any) -> None:
    made = prepared(engine, run_container(), "echo", "done")
    with attached(engine, made) as connection:
        heard = b"".join(payload for _, payload in connection.frames([b"x" * 1000] * 9000, tty=False))
    assert heard == b"done\n"


def test_a_stream_is_followed_and_left(engine: Engine, run_container: Any) -> None:
    """What nobody reads any more is not carried any more, though nothing is sent."""
    container = run_container(["sh", "-c", "echo one; echo two; sleep 600"])
    before = threading.active_count()
    fields = {"id": container, "follow": True}
    with engine.logs("/containers/{id}/logs", fields, query=("follow", "stdout", "stderr"), tty=None) as logs:
        assert [next(logs).text, next(logs).text] == ["one", "two"]
    with engine.lines("/events", {"since": "0"}, query=("since",)) as events:
        assert next(event for event in events if event.get("id") == container)
    wait_until(lambda: threading.active_count() <= before + 3, "the threads of the streams to end")


def test_a_build_context_is_sent(engine: Engine, engine_lab: LabEngine) -> None:
    dockerfile = f"FROM {engine_lab.image}\nCOPY data /data\nRUN wc -c /data\n".encode()
    context = Upload([archive(Dockerfile=dockerfile, data=b"x" * BIG)], content_type="application/x-tar")
    with engine.progress("/build", {"nocache": True, "x": context}, query=("nocache",), body="x") as lines:
        said = "".join(line.get("stream", "") for line in lines)
    assert f"{BIG} /data" in said


def test_many_calls_at_once_share_one_connection(ssh_server: SshServer, engine_lab: LabEngine) -> None:
    before = ssh_server.logins
    assert at_once(ssh_server, engine_lab, 60) == [engine_lab.api] * 60
    assert ssh_server.logins == before + 1


def test_more_programs_than_a_connection_may_have(
    closed_ssh_server: SshServer, engine_lab: LabEngine
) -> None:
    """Servers allow 10 by default; each connection that is full gets another one beside it."""
    before = closed_ssh_server.logins
    assert at_once(closed_ssh_server, engine_lab, 25) == [engine_lab.api] * 25
    assert closed_ssh_server.logins > before + 1


def at_once(server: SshServer, engine_lab: LabEngine, number: int) -> list[str]:
    """What so many calls are told that all hold their connection until the last one has its answer."""
    told: list[str] = []
    all_there = threading.Barrier(number)

    def call(engine: Engine) -> None:
        since = {"since": "0", "until": "1"}
        with engine.lines("/events", since, query=("since", "until")) as held:
            all_there.wait(DEADLINE)
            told.append(engine.get("/version").json()["ApiVersion"])
            list(held)

    with new_engine(server.credential(engine_lab.socket)) as engine:
        callers = [threading.Thread(target=call, args=(engine,)) for _ in range(number)]
        for caller in callers:
            caller.start()
        for caller in callers:
            ended(caller)
    return told


def test_a_lost_connection_is_opened_again(distant: Engine, way: FaultyProxy, ssh_server: SshServer) -> None:
    before = ssh_server.logins
    for _ in range(3):
        assert distant.get("/_ping").status == 200
        way.reset()
    assert distant.get("/_ping").status == 200
    assert ssh_server.logins == before + 4


def test_a_stream_whose_server_goes_is_cut(distant: Engine, way: FaultyProxy, run_container: Any) -> None:
    container = run_container(["sh", "-c", "echo one; sleep 600"])
    fields = {"id": container, "follow": True}
    with distant.logs(
        "/containers/{id}/logs", fields, query=("follow", "stdout", "stderr"), tty=None
    ) as logs:
        assert next(logs).text == "one"
        way.reset()
        with pytest.raises(StreamCut, match=r"the SSH connection to .* ended"):
            next(logs)


def test_a_conversation_whose_server_goes_has_no_end(
    distant: Engine, way: FaultyProxy, run_container: Any
) -> None:
    """The end of a process is the end of its connection; a lost SSH connection must not look like it."""
    made = prepared(distant, run_container(), "sh", "-c", "echo one; sleep 600")
    with attached(distant, made) as connection:
        frames = connection.frames(tty=False)
        assert next(frames) == ("stdout", b"one\n")
        way.reset()
        with pytest.raises(StreamCut, match=r"the SSH connection to .* ended"):
            next(frames)


def test_a_write_whose_answer_is_lost_is_not_repeated(
    way: FaultyProxy, ssh_server: SshServer, tmp_path: Path
) -> None:
    asked = threading.Event()

    def never(peer: socket.socket) -> None:
        asked.set()
        peer.recv(1)  # until the connection ends

    failed: list[EngineError] = []

    def stop(engine: Engine) -> None:
        with pytest.raises(OutcomeUnknown) as caught:
            engine.post("/containers/{id}/stop", {"id": "x"})
        failed.append(caught.value)

    with Scripted(tmp_path, never) as scripted:
        address = f"ssh://{ssh_server.user}@{way.host}:{way.port}{scripted.path}"
        with new_engine(ssh_server.credential(scripted.path, server=address)) as engine:
            caller = threading.Thread(target=stop, args=(engine,))
            caller.start()
            assert asked.wait(DEADLINE)
            way.reset()
            ended(caller)
    assert "the SSH connection to" in failed[0].message
    assert len(scripted.requests) == 1


def test_a_server_that_comes_back_is_used_again(engine_lab: LabEngine, tmp_path: Path) -> None:
    server = SshServer()
    try:
        with new_engine(server.credential(engine_lab.socket)) as engine:
            engine.sender._retry = Retry(attempts=1)
            assert engine.get("/_ping").status == 200
            engine.close()
            server.stop()
            with pytest.raises(Unreachable, match="No engine answers at ssh://"):
                engine.get("/_ping")
            server.start()
            assert engine.get("/_ping").status == 200
    finally:
        server.close()
