"""Streams, archives and conversations of a real engine, over its unix socket and over TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat

import pytest

from lib.credentials import new_engine
from lib.engine import Engine
from lib.engine.answer.limits import Limits, bounded
from lib.engine.answer.log_lines import log_lines
from lib.engine.answer.pathstat import HEADER, path_stat
from lib.engine.answer.progress import Progress
from lib.engine.answer.stats import percentages
from lib.engine.answer.tar_reader import NotOneFile, single_file
from lib.engine.attach.session import upgrade, websocket
from lib.engine.errors import Conflict, NotFound, StreamCut, StreamFailed
from lib.engine.request.query import seconds
from lib.engine.request.tar_writer import file_archive
from lib.engine.request.upload import Upload
from tests.engine.answer.collecting import collect
from tests.lab.engine import LabEngine
from tests.lab.waiting import DEADLINE

pytestmark = pytest.mark.engine

LOGS = ("stdout", "stderr", "follow", "timestamps", "tail")
ALL = {"stdout": True, "stderr": True}
MEGABYTE = b"x" * (1 << 20)


class Bench:
    """One real engine, our client of it, and containers that go away."""

    def __init__(self, lab: LabEngine, engine: Engine) -> None:
        self.lab, self.engine = lab, engine
        self.made: list[str] = []

    def create(self, command: str, **settings) -> str:
        self.made.append(self.lab.create(["sh", "-c", command], **settings))
        return self.made[-1]

    def run(self, command: str, **settings) -> str:
        container = self.create(command, **settings)
        self.engine.post("/containers/{id}/start", {"id": container})
        return container

    def ended(self, command: str, **settings) -> str:
        container = self.run(command, **settings)
        self.lab.wait(container)
        return container

    def logs(self, container: str, *, tty: bool = False, **fields):
        wish = {"id": container, **ALL, **fields}
        return self.engine.logs("/containers/{id}/logs", wish, query=LOGS, tty=lambda *_: tty)

    def execute(self, container: str, command: str, feed=None, *, tty: bool = False) -> dict:
        """Run a command in a container; its output, its exit code and whether its input was taken."""
        wish = {"Cmd": ["sh", "-c", command], "AttachStdout": True, "AttachStderr": True, "Tty": tty}
        wish["AttachStdin"] = feed is not None
        identity = self.engine.post("/containers/{id}/exec", {"id": container}, body=wish).json()["Id"]
        heard = {"stdout": bytearray(), "stderr": bytearray()}
        body = {"Detach": False, "Tty": tty}
        with upgrade(self.engine, "/exec/{id}/start", {"id": identity}, body=body) as duplex:
            duplex.pace(DEADLINE, DEADLINE)
            for stream, payload in duplex.frames(feed, tty=tty):
                heard[stream] += payload
        code = self.engine.get("/exec/{id}/json", {"id": identity}).json()["ExitCode"]
        return {**heard, "code": code, "taken": duplex.input_taken}


def unix(engine_lab: LabEngine) -> dict[str, str]:
    return {"server": "2", "otherServer": engine_lab.url}


def tls(tls_engine: LabEngine) -> dict[str, str]:
    known = tls_engine.certificates
    return {
        "server": "2",
        "otherServer": tls_engine.tcp_url,
        "tlsCa": known.ca.read_text(),
        "tlsCertificate": known.client.read_text(),
        "tlsKey": known.client_key.read_text(),
    }


@pytest.fixture(params=["unix", "tls"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Over each kind of connection that an engine has."""
    secure = request.param == "tls"
    lab: LabEngine = request.getfixturevalue("tls_engine" if secure else "engine_lab")
    with new_engine((tls if secure else unix)(lab)) as engine:
        bench = Bench(lab, engine)
        yield bench
        for container in bench.made:
            lab.remove(container)


@pytest.fixture
def sleeping(bench: Bench) -> str:
    return bench.run("exec sleep 600")


# --- logs ---


def test_long_lines_are_whole_and_have_one_time(bench: Bench) -> None:
    container = bench.ended("head -c 40000 /dev/zero | tr '\\0' x; echo; echo hi; printf unfinished")
    for timestamps in (False, True):
        with bench.logs(container, timestamps=timestamps) as logs:
            lines = list(logs)
        assert [line.text for line in lines] == ["x" * 40000, "hi", "unfinished"]
        assert {line.time is not None for line in lines} == {timestamps}


def test_long_lines_of_a_terminal_are_whole_and_have_one_time(bench: Bench) -> None:
    container = bench.ended("head -c 40000 /dev/zero | tr '\\0' x; echo; echo hi", Tty=True)
    with bench.logs(container, tty=True, timestamps=True) as logs:
        lines = list(logs)
    assert [line.text for line in lines] == ["x" * 40000, "hi"]
    assert all(line.time for line in lines)


def test_streams_are_told_apart(bench: Bench) -> None:
    container = bench.ended("echo out; echo err >&2")
    with bench.logs(container) as logs:
        assert {(line.stream, line.text) for line in logs} == {("stdout", "out"), ("stderr", "err")}


def test_a_restarted_container_begins_a_new_line(bench: Bench) -> None:
    container = bench.ended("printf unfinished")
    bench.engine.post("/containers/{id}/start", {"id": container})
    bench.lab.wait(container)
    with bench.logs(container, timestamps=True) as logs:
        assert [line.text for line in logs] == ["unfinished", "unfinished"]


def test_following_ends_by_silence_time_or_number(bench: Bench) -> None:
    container = bench.run("echo one; echo two; exec sleep 600")
    for limits, reason in (
        (Limits(max_items=2), "maxItems"),  # first: both lines are there when the others begin
        (Limits(idle_seconds=5), "idleSeconds"),
        (Limits(max_seconds=5), "maxSeconds"),
    ):
        with bench.logs(container, follow=True) as logs:
            lines = bounded(logs, limits)
            assert [line.text for line in lines] == ["one", "two"]
            assert lines.truncated == reason


# --- events and stats ---


def test_events_come_while_things_happen(bench: Bench) -> None:
    container = bench.create("true")
    began = bench.engine.get("/info").json()["SystemTime"]
    with bench.engine.lines("/events", {"since": began}, query=(seconds("since"),)) as events:
        bench.engine.post("/containers/{id}/start", {"id": container})
        ours = (event for event in events if event["Actor"]["ID"] == container)
        actions = [next(ours)["Action"] for _ in range(2)]
    assert actions == ["start", "die"]


def test_a_busy_container_has_percentages_and_a_stopped_one_has_none(bench: Bench) -> None:
    container = bench.run("while :; do :; done")
    stats = bench.engine.get("/containers/{id}/stats", {"id": container, "stream": False}, query=("stream",))
    busy = percentages(stats.json())
    assert busy["running"]
    assert busy["cpuPercent"] > 0
    assert busy["memoryBytes"] > 0
    bench.engine.post("/containers/{id}/kill", {"id": container})
    bench.lab.wait(container)
    stats = bench.engine.get("/containers/{id}/stats", {"id": container, "stream": False}, query=("stream",))
    assert percentages(stats.json()) == dict.fromkeys(busy) | {"running": False}


# --- progress ---


def test_a_build_from_a_text_gives_id_and_tags(bench: Bench) -> None:
    fields = {"t": "streams/built:1", "forcerm": True}
    text = "FROM busybox:local\nRUN echo said >&2\n"
    with bench.engine.progress(
        "/build", fields, query=tuple(fields), body=file_archive("Dockerfile", text.encode())
    ) as lines:
        result = collect(lines)
    try:
        image = bench.engine.get("/images/{+name}/json", {"name": "streams/built:1"}).json()
        assert result.ids[-1] == image["Id"]
        assert result.tags == ["streams/built:1"]
        assert "said" in result.lines
    finally:
        bench.engine.delete("/images/{+name}", {"name": "streams/built:1"})


def test_a_failed_build_names_the_step_and_its_last_words(bench: Bench) -> None:
    text = "FROM busybox:local\nRUN echo the reason; exit 7\n"
    fields = {"forcerm": True}
    with (
        bench.engine.progress(
            "/build", fields, query=tuple(fields), body=file_archive("Dockerfile", text.encode())
        ) as lines,
        pytest.raises(StreamFailed, match="code: 7") as caught,
    ):
        collect(lines)
    assert caught.value.step == "Step 2/2 : RUN echo the reason; exit 7"
    assert "the reason" in str(caught.value)


def test_a_load_of_rubbish_fails_although_the_engine_says_200(bench: Bench) -> None:
    rubbish = file_archive("rubbish.txt", b"x")
    with bench.engine.progress("/images/load", {}, body=rubbish) as lines, pytest.raises(StreamFailed):
        collect(lines)


def test_an_image_goes_out_and_in_again_in_pieces(bench: Bench) -> None:
    with bench.engine.tar("/images/{+name}/get", {"name": bench.lab.image}) as archive:
        data = list(archive)
    progress = Progress()
    with bench.engine.progress("/images/load", {}, body=Upload(data)) as lines:
        for record in lines:
            progress.feed(record)
    assert progress.result().tags == [bench.lab.image]


# --- archives ---


def test_a_file_goes_in_and_comes_out_alone(bench: Bench) -> None:
    container = bench.create("true")
    content = MEGABYTE * 3
    fields = {"id": container, "path": "/tmp"}
    body = file_archive("new/größe.bin", repeat(MEGABYTE, 3), size=len(content), mode=0o4750)
    bench.engine.put("/containers/{id}/archive", fields, query=("path",), body=body)
    fields["path"] = "/tmp/new/größe.bin"
    stat = path_stat(bench.engine.head("/containers/{id}/archive", fields, query=("path",)).headers[HEADER])
    assert (stat["name"], stat["size"], stat["kind"]) == ("größe.bin", len(content), "file")
    assert stat["permissions"] == "4750"
    with bench.engine.tar("/containers/{id}/archive", fields, query=("path",)) as archive:
        info, pieces = single_file(archive)
        assert (info.name, info.size, info.mode) == ("größe.bin", len(content), 0o4750)
        assert b"".join(pieces) == content


def test_a_directory_and_a_link_are_no_single_file(bench: Bench) -> None:
    container = bench.create("true")
    for path, kind, reason in (
        ("/bin", "directory", "is a directory"),
        ("/bin/sh", "link", "no regular file"),
    ):
        fields = {"id": container, "path": path}
        stat = path_stat(
            bench.engine.head("/containers/{id}/archive", fields, query=("path",)).headers[HEADER]
        )
        assert stat["kind"] == kind
        with (
            bench.engine.tar("/containers/{id}/archive", fields, query=("path",)) as archive,
            pytest.raises(NotOneFile, match=reason),
        ):
            single_file(archive)


# --- conversations ---


def test_an_exec_takes_its_input_to_the_end(bench: Bench, sleeping: str) -> None:
    done = bench.execute(sleeping, "cat; echo done >&2; exit 3", [b"hello ", b"world"])
    assert done == {"stdout": b"hello world", "stderr": b"done\n", "code": 3, "taken": True}


def test_an_exec_echoes_much_without_either_side_waiting(bench: Bench, sleeping: str) -> None:
    done = bench.execute(sleeping, "cat", repeat(MEGABYTE, 30))
    assert (len(done["stdout"]), done["code"], done["taken"]) == (30 << 20, 0, True)


def test_an_exec_that_writes_before_it_reads_loses_nothing(bench: Bench, sleeping: str) -> None:
    done = bench.execute(sleeping, "head -c 5000000 /dev/zero; cat", [b"end"])
    assert (len(done["stdout"]), done["stdout"][-3:]) == (5_000_003, b"end")


def test_an_exec_that_leaves_its_input_says_so(bench: Bench, sleeping: str) -> None:
    done = bench.execute(sleeping, "head -c 5", repeat(MEGABYTE, 20))
    assert not done["taken"]
    assert done["code"] == 0


def test_an_exec_without_input_just_speaks(bench: Bench, sleeping: str) -> None:
    done = bench.execute(sleeping, "echo out; echo err >&2")
    assert (done["stdout"], done["stderr"], done["code"]) == (b"out\n", b"err\n", 0)


def test_an_exec_with_a_terminal_has_one_stream(bench: Bench, sleeping: str) -> None:
    done = bench.execute(sleeping, "echo out; echo err >&2", tty=True)
    assert (done["stdout"], done["stderr"]) == (b"out\r\nerr\r\n", b"")


def test_an_attached_container_gets_input_and_gives_output(bench: Bench) -> None:
    container = bench.create("cat; echo done >&2", OpenStdin=True, StdinOnce=True)
    fields = {"id": container, "stream": True, "stdin": True, **ALL}
    query = ("stream", "stdin", "stdout", "stderr")
    with upgrade(bench.engine, "/containers/{id}/attach", fields, query=query) as duplex:
        bench.engine.post("/containers/{id}/start", {"id": container})
        duplex.pace(DEADLINE, DEADLINE)
        heard = list(duplex.frames([b"hello"], tty=False))
    # Each stream keeps its order; which of the two is heard first, no engine promises.
    assert sorted(heard) == [("stderr", b"done\n"), ("stdout", b"hello")]


def test_a_websocket_carries_input_and_output(bench: Bench) -> None:
    container = bench.create("cat; echo done", OpenStdin=True, StdinOnce=True)
    fields = {"id": container, "stream": True, "stdin": True, **ALL}
    query = ("stream", "stdin", "stdout", "stderr")
    with websocket(bench.engine, "/containers/{id}/attach/ws", fields, query=query) as opened:
        bench.engine.post("/containers/{id}/start", {"id": container})
        opened.pace(DEADLINE, DEADLINE)
        heard = b"".join(opened.chunks(repeat(MEGABYTE, 5)))
    assert (len(heard), heard[-6:]) == ((5 << 20) + 5, b"xdone\n")


def test_limits_end_a_conversation_that_goes_on(bench: Bench) -> None:
    container = bench.run("echo prompt; exec sleep 600")
    with bench.logs(container, follow=True) as logs:
        next(logs)
    fields = {"id": container, "logs": True, "stream": True, **ALL}
    query = ("logs", "stream", "stdout", "stderr")
    with upgrade(bench.engine, "/containers/{id}/attach", fields, query=query) as duplex:
        frames = bounded(duplex.frames(tty=False), Limits(idle_seconds=5), pace=duplex.pace)
        assert list(frames) == [("stdout", b"prompt\n")]
    assert frames.truncated == "idleSeconds"


def test_time_is_kept_while_a_terminal_never_ends_its_line(bench: Bench) -> None:
    container = bench.run("while :; do printf .; usleep 50000; done", Tty=True)
    fields = {"id": container, "stream": True, "stdout": True}
    with upgrade(bench.engine, "/containers/{id}/attach", fields, query=("stream", "stdout")) as duplex:
        lines = bounded(
            log_lines(duplex.frames(tty=True), tty=True),
            Limits(max_seconds=6, idle_seconds=60),
            pace=duplex.pace,
        )
        (line,) = list(lines)
    assert lines.truncated == "maxSeconds"
    assert set(line.text) == {"."}


def test_characters_that_are_cut_by_frames_are_whole(bench: Bench, sleeping: str) -> None:
    body = {"Cmd": ["sh", "-c", "yes € | head -n 100000 | tr -d '\\n'"], "AttachStdout": True}
    exec_id = bench.engine.post("/containers/{id}/exec", {"id": sleeping}, body=body).json()["Id"]
    with upgrade(bench.engine, "/exec/{id}/start", {"id": exec_id}, body={"Detach": False}) as duplex:
        (line,) = list(log_lines(duplex.frames(tty=False)))
    assert (line.text, line.lossy) == ("€" * 100000, False)


@pytest.mark.parametrize("opened", [upgrade, websocket])
def test_a_conversation_with_nobody_is_refused_with_the_engines_words(bench: Bench, opened: Callable) -> None:
    path = "/containers/{id}/attach" + ("/ws" if opened is websocket else "")
    with pytest.raises(NotFound, match="No such container: nobody"):
        opened(bench.engine, path, {"id": "nobody", "stream": True}, query=("stream",))


def test_a_paused_container_refuses_a_conversation(bench: Bench, sleeping: str) -> None:
    bench.engine.post("/containers/{id}/pause", {"id": sleeping})
    with pytest.raises(Conflict, match="paused"):
        upgrade(bench.engine, "/containers/{id}/attach", {"id": sleeping, "stream": True}, query=("stream",))
    bench.engine.post("/containers/{id}/unpause", {"id": sleeping})


def test_a_killed_engine_cuts_what_is_under_way() -> None:
    lab = LabEngine.begin()
    try:
        with new_engine(unix(lab)) as engine:
            container = lab.run(["sh", "-c", "echo one; exec sleep 600"])
            with engine.logs(
                "/containers/{id}/logs",
                {"id": container, "follow": True, **ALL},
                query=LOGS,
                tty=lambda *_: False,
            ) as logs:
                assert next(logs).text == "one"
                lab.kill()
                with pytest.raises(StreamCut, match="cut"):
                    next(logs)
    finally:
        lab.close()
