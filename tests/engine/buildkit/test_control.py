"""Builds through BuildKit's own service, against a server that answers well, badly and not at all."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from lib.engine import Endpoint, Engine
from lib.engine.buildkit.calls import UNKNOWN, Answers, Call, Metadata, Methods, RefusedCallError, unary
from lib.engine.buildkit.context_pull import ContextPull
from lib.engine.buildkit.control import SERVICE, Control
from lib.engine.buildkit.rpc_server import RpcServer
from lib.engine.buildkit.services import health
from lib.engine.buildkit.session import BuildSession
from lib.engine.buildkit.solve import SolveLines
from lib.engine.buildkit.solve_request import check_names, normalised, solve_request
from lib.engine.errors import BadInput, NotSupported, OutcomeUnknown
from lib.engine.protobuf import fields, message
from lib.engine.request.build_cache import cache_places
from lib.engine.request.build_outputs import build_output
from lib.engine.request.upload import Upload
from tests.engine.buildkit.asking_engine import HEAD, Asking, session
from tests.engine.scripted import Act, Scripted, answer, say
from tests.lab.waiting import DEADLINE

SENT = b"trace of the build"
DIGEST = f"sha256:{'0' * 64}"


def serving(methods: Methods, *, most: int = 1 << 30) -> Act:
    """An engine that serves Control; it ends the connection after `most` bytes of its own."""

    def act(peer: socket.socket) -> None:
        server, left = RpcServer(methods), most
        peer.sendall(HEAD + server.start()[:left])
        while left > 0 and (data := peer.recv(65_536)):
            said = server.feed(data)[:left]
            peer.sendall(said)
            left -= len(said)
        end(peer)

    return act


def end(peer: socket.socket) -> None:
    """End the connection as the client sees it, and take in what it still says: that is no further request."""
    peer.shutdown(socket.SHUT_WR)
    while peer.recv(65_536):
        pass


def control(*, solved: Callable[[bytes], bytes], records: int = 3) -> Methods:
    def status(_: Metadata) -> Call:
        return Answers(SENT for _ in range(records))

    return {f"{SERVICE}/Status": status, f"{SERVICE}/Solve": unary(solved)}


def told(tmp_path: Path, act: Act, *, names_image: bool = True) -> list[dict[str, Any]]:
    with (
        Scripted(tmp_path, act) as peer,
        Engine(Endpoint.parse(peer.url)) as engine,
        SolveLines(engine, Control(engine), "ref", b"request", names_image=names_image) as lines,
    ):
        return list(lines)


def image(_: bytes) -> bytes:
    return message((1, message((1, "containerimage.digest"), (2, DIGEST))), (9, "new"), (1, b"\xff"))


def test_a_build_tells_its_trace_and_the_image(tmp_path: Path) -> None:
    asked: Queue[bytes] = Queue()

    def solved(request: bytes) -> bytes:
        asked.put(request)
        return message((1, message((1, "containerimage.digest"), (2, DIGEST))))

    *trace, last = told(tmp_path, serving(control(solved=solved)))
    assert asked.get(timeout=DEADLINE) == b"request"
    assert len(trace) == 3
    assert {record["id"] for record in trace} == {"moby.buildkit.trace"}
    assert last == {"id": "moby.image.id", "aux": {"ID": DIGEST}}


def test_an_archive_and_an_answer_that_cannot_be_read_name_no_image(tmp_path: Path) -> None:
    assert len(told(tmp_path, serving(control(solved=image)), names_image=False)) == 3


def test_a_failure_is_a_record_as_engines_write_it(tmp_path: Path) -> None:
    def solved(_: bytes) -> bytes:
        raise RefusedCallError(UNKNOWN, "größe: exit code: 7 % \n")

    *_, last = told(tmp_path, serving(control(solved=solved)))
    assert last["error"] == "größe: exit code: 7 % \n"


def test_many_records_pass_the_windows(tmp_path: Path) -> None:
    act = serving(control(solved=lambda _: b"", records=20_000))
    assert len(told(tmp_path, act)) == 20_000


@pytest.mark.parametrize("most", [0, 40, 150, 200])
def test_a_connection_that_ends_before_the_build_is_an_unknown_outcome(tmp_path: Path, most: int) -> None:
    with pytest.raises(OutcomeUnknown):
        told(tmp_path, serving(control(solved=image), most=most))


@pytest.mark.parametrize("rubbish", [b"HTTP/1.1 400 no\r\n\r\n", b"\0" * 100, b"\xff" * 100])
def test_what_is_no_http2_is_an_unknown_outcome(tmp_path: Path, rubbish: bytes) -> None:
    def act(peer: socket.socket) -> None:
        peer.sendall(HEAD + rubbish)
        end(peer)

    with pytest.raises(OutcomeUnknown):
        told(tmp_path, act)


def test_a_refusal_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(
        NotSupported, match="POST /grpc was answered with 404, and the address does not speak HTTP/2"
    ):
        told(tmp_path, say(answer(b'{"message":"page not found"}', "404 Not Found")))


def test_an_answer_that_opens_nothing_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(NotSupported, match="without opening a connection"):
        told(tmp_path, say(answer(b"{}")))


def test_a_method_that_the_engine_lacks_fails_the_build(tmp_path: Path) -> None:
    (last,) = told(tmp_path, serving({}))
    assert "no such method" in last["error"]


def test_a_context_larger_than_the_windows_is_pulled_as_often_as_it_is_asked_for(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5_000
    answers: Queue[Any] = Queue()
    path = "/moby.upload.v1.Upload/Pull"

    def script(asking: Asking) -> Any:
        calls = [asking.call(path, urlpath=f"/{name}") for name in ("mine", "mine", "other")]
        for call in calls:
            asking.send(call, end=True)
        return [asking.answer(call) for call in calls]

    with (
        ContextPull(Upload(content), "mine") as pull,
        Scripted(tmp_path, session(script, answers)) as peer,
        Engine(Endpoint.parse(peer.url)) as engine,
        BuildSession(engine, {**health(), **pull.methods()}),
    ):
        first, second, other = answers.get(timeout=DEADLINE)
    for one in (first, second):
        assert one.code == 0
        assert b"".join(value for part in one.messages for _, value in fields(part)) == content  # type: ignore[misc]
    assert other.code == 5


@pytest.mark.parametrize(
    ("tag", "whole"),
    [
        ("web", "docker.io/library/web:latest"),
        ("shop/web:1", "docker.io/shop/web:1"),
        ("r.example.org/web", "r.example.org/web:latest"),
        ("localhost/web:2", "localhost/web:2"),
        ("127.0.0.1:5000/web", "127.0.0.1:5000/web:latest"),
    ],
)
def test_names_are_written_whole(tag: str, whole: str) -> None:
    assert normalised(tag) == whole


def asked(**given: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for number, value in fields(
        solve_request("ref", "sess", given, "http://x/", build_output(given.get("outputs")))
    ):
        found.setdefault(number, []).append(value)
    return found


def pairs(items: list[bytes]) -> dict[str, str]:
    return {
        bytes(pair[1]).decode(): bytes(pair[2]).decode()  # type: ignore[arg-type]
        for pair in (dict(fields(item)) for item in items)
    }


def test_the_fields_of_a_build_have_their_words_there() -> None:
    found = asked(
        t=["web:1", "r.example.org/web"],
        platform="linux/amd64, linux/arm64",
        buildargs='{"A": "1", "B": null}',
        labels={"l": "2"},
        nocache=True,
        pull="1",
        target="last",
        networkmode="host",
        extrahosts="a:1.2.3.4",
        shmsize=1024,
        ulimits=[{"Name": "nofile", "Soft": 1, "Hard": 2}],
        inlineCache=True,
    )
    assert found[1] == [b"ref"]
    assert found[3] == [b"moby"]
    assert pairs(found[4]) == {"name": "docker.io/library/web:1,r.example.org/web:latest"}
    assert found[9] == [b"network.host"]
    assert pairs(found[7]) == {
        "context": "http://x/",
        "filename": "Dockerfile",
        "target": "last",
        "platform": "linux/amd64,linux/arm64",
        "shm-size": "1024",
        "ulimit": "nofile=1:2",
        "force-network-mode": "host",
        "add-hosts": "a=1.2.3.4",
        "no-cache": "",
        "image-resolve-mode": "pull",
        "build-arg:BUILDKIT_INLINE_CACHE": "1",
        "build-arg:A": "1",
        "label:l": "2",
    }


@pytest.mark.parametrize(
    ("tags", "output", "names"),
    [
        (
            ["web:1", "r.example.org/web"],
            {"type": "image"},
            "docker.io/library/web:1,r.example.org/web:latest",
        ),
        (
            [],
            {"type": "image", "name": "r.example.org/web,web:2"},
            "r.example.org/web:latest,docker.io/library/web:2",
        ),
        ("web:1", {"type": "oci", "name": "docker.io/library/web:1"}, "docker.io/library/web:1"),
        ("web:1", {"type": "tar", "name": "other:1"}, "other:1"),
    ],
)
def test_an_image_is_named_by_its_tags_or_by_its_output(
    tags: Any, output: dict[str, Any], names: str
) -> None:
    check_names({"t": tags}, build_output([output]))
    assert pairs(asked(t=tags, outputs=[output])[4])["name"] == names


@pytest.mark.parametrize(
    ("tags", "output", "told"),
    [
        ("web:1,other:1", {"type": "moby"}, "a name has no comma"),
        (
            "web:1",
            {"type": "image", "name": "r.example.org/web:1", "push": True},
            "an image gets one of both",
        ),
        (["web:1", "web:2"], {"type": "moby", "name": "web:1"}, "an image gets one of both"),
        (None, {"type": "image", "push": True}, "no name to push by"),
        ([], {"type": "image", "name": ",", "push": "true"}, "no name to push by"),
    ],
)
def test_names_that_are_not_plain_are_refused(tags: Any, output: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        check_names({"t": tags}, build_output([output]))


def test_caches_go_both_ways() -> None:
    found = asked(cachefrom=["a:1"], cacheTo='[{"type": "local", "dest": "x", "n": 1, "b": true}]')
    (cache,) = found[8]
    places = {number: dict(fields(value)) for number, value in fields(cache)}  # type: ignore[arg-type]
    assert places[4][1] == b"local"
    assert places[5][1] == b"registry"
    assert "cache-imports" in pairs(found[7])


@pytest.mark.parametrize(
    "value",
    ["=", [{}], [{"type": ""}], [{"type": "registry"}], [{"type": "local", "x": []}], [1], "[", ["a=b"]],
)
def test_places_that_are_none_are_refused(value: Any) -> None:
    with pytest.raises(BadInput, match="cacheTo"):
        cache_places(value, "cacheTo")
