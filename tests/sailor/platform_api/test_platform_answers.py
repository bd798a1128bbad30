"""Answers of the platform that are none (fault 8.4), ids that lead elsewhere (8.25), answers without end (8.18)."""

from __future__ import annotations

import socket
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from lib.sailor.errors import RequestError, StorageError
from lib.sailor.net.destinations import Destinations
from lib.sailor.platform import http as rest
from lib.sailor.platform.api import Platform
from lib.sailor.platform.attachments import Attachments
from lib.sailor.platform.object_storage import Maester
from lib.sailor.service import post
from lib.sailor.settings import Settings
from tests.lab.http_source import Act, HttpSource, content, endless, raw, redirect, trickle
from tests.sailor.step_harness import StepHarness

SECRET = "canary-41d0c7"


def settings(url: str, **more: Any) -> Settings:
    own = {"api_uri": url, "api_username": "task-1", "api_key": SECRET, "object_storage_uri": url}
    return Settings(**{**own, "object_storage_token": SECRET, "api_request_retry_delay": 1, **more})


def attachments(url: str, **more: Any) -> Attachments:
    chosen = settings(url, **more)
    return Attachments(chosen, Platform(chosen))


CALLS: dict[str, Callable[[str], Any]] = {
    "read an object": lambda url: Maester(settings(url)).get_object("one"),
    "store an object": lambda url: Maester(settings(url)).put_object(b"x"),
    "store a stream": lambda url: Maester(settings(url)).put_stream([b"x"], "text/plain", None),
    "read an attachment of maester": lambda url: attachments(url).open(
        {"url": f"{url}/objects/1?storage_type=maester"}
    ),
    "read an attachment of steward": lambda url: attachments(url).open(
        {"url": f"{url}/s/1?signature={SECRET}"}
    ),
    "store an attachment in steward": lambda url: attachments(url, object_storage_uri="").store(
        [b"x"], content_type="text/plain"
    ),
    "read the step": lambda url: Platform(settings(url)).step(),
    "store the state": lambda url: Platform(settings(url)).store_startup({"a": 1}),
    "read the state": lambda url: Platform(settings(url)).read_startup(),
    "delete the state": lambda url: Platform(settings(url)).delete_startup(),
    "update an account": lambda url: Platform(settings(url)).update_account("1", {"key": SECRET}),
    "post a result": lambda url: post(
        url.replace("//", f"//user:{SECRET}@") + "/result", b"{}", settings(url)
    ),
}
STATUSES = [
    "150 Odd",
    "300 Many",
    "301 Moved",
    "302 Found",
    "303 Other",
    "304 Same",
    "307 Temporary",
    "308 Permanent",
]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("call", CALLS)
def test_only_2xx_is_an_answer_and_no_redirect_is_followed(call: str, status: str) -> None:
    """Fault 8.4: the page of a redirect was read as content, or its sender was believed to have stored something."""
    with HttpSource(content(b'{"objectId":"1"}')) as other:
        act = redirect(f"{other.url}/login?next={SECRET}", status)
        if status[0] == "1" or status.startswith("304"):  # these have no body
            act = raw(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        with HttpSource(act) as source, pytest.raises(RequestError) as caught:
            CALLS[call](source.url)
    assert other.requests == []
    assert len(source.requests) == 1
    assert caught.value.status == int(status[:3])
    assert SECRET not in str(caught.value)
    if status[:3] in ("301", "302", "303", "307", "308") and call != "post a result":
        assert f"{other.url}/login" in str(caught.value)
        assert "address has to be changed" in str(caught.value)


IDS = [
    *(
        "../v1/tasks/secret",
        "a/b",
        "/a",
        "a/",
        "..",
        ".",
        "...",
        "",
        "a\\b",
        "a?b=c",
        "a#b",
        "a b",
        "ä",
        "x" * 2000,
    ),
    *("%2e%2e", "%2E.", "a%2fb", "..%2f..", "%252e%252e%252f", "a%5cb", "a%00b", "a\r\nEvil: 1", "a\nb"),
]


@pytest.mark.parametrize("name", IDS)
def test_an_id_that_is_no_part_of_a_path_is_refused(name: str) -> None:
    """Fault 8.25: `../v1/tasks/secret` went out with the platform's token."""
    with HttpSource(content(b"{}")) as source:
        calls: list[Callable[[], Any]] = [
            lambda: Maester(settings(source.url)).get_object(name),
            lambda: Maester(settings(source.url)).delete_object(name),
            lambda: Platform(settings(source.url, flow_id=name)).step(),
            lambda: Platform(settings(source.url, step_id=name)).step(),
            lambda: Platform(settings(source.url, flow_id=name)).read_startup(),
            lambda: Platform(settings(source.url)).update_account(name, {}),
            lambda: attachments(source.url).open(
                {"url": f"{source.url}/objects/{name}?storage_type=maester"}
            ),
        ]
        for call in calls[
            : 6 if "?" in name or "#" in name or "\n" in name else 7
        ]:  # an address may have those
            with pytest.raises(RequestError) as caught:
                call()
            assert caught.value.final
        assert source.requests == []


@pytest.mark.parametrize(
    "name", ["5f1b", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "a_b~c", "step%1:a", "a..b", "1.2"]
)
def test_ids_of_the_platform_go_out_as_they_are(name: str) -> None:
    with HttpSource(content(b"body")) as source:
        assert Maester(settings(source.url)).get_object(name) == b"body"
    assert source.requests[0].startswith(f"GET /objects/{name} HTTP/1.1\r\n".encode())


def test_a_message_cannot_name_another_path_of_the_storage(stage: StepHarness) -> None:
    """Fault 8.25, from the queue on."""
    stage.start(object_storage_uri=stage.platform.url, object_storage_token=SECRET)
    stage.wires.send({"body": {}, "headers": {"x-ipaas-object-storage-id": "../v1/tasks/flow1/steps/step_1"}})

    message = stage.take("error").error["message"]

    assert message == "Failed to get message body with id=../v1/tasks/flow1/steps/step_1"
    assert [request.path for request in stage.platform.requests] == ["/v1/tasks/flow1/steps/step_1"]


def test_a_message_id_adds_no_header() -> None:
    """Fault 8.25's kind: the id of a message stands in x-request-id."""
    with HttpSource(content(b"body")) as source:
        assert Maester(settings(source.url)).get_object("a", "m\r\nEvil: 1\u20ac" + "x" * 100_000) == b"body"
    assert source.header("Evil") is None
    assert source.header("x-request-id").startswith("f:local;s:step_1;m:m??Evil:?1?xxx")  # type: ignore[union-attr]


READS = ["read an object", "store an object", "read the step", "read the state", "post a result"]


@pytest.mark.parametrize("call", READS)
def test_an_answer_without_end_is_an_error(call: str) -> None:
    """Fault 8.18."""
    with HttpSource(endless) as source, pytest.raises(RequestError, match="limit of") as caught:
        CALLS[call](source.url)
    assert caught.value.final
    assert len(source.requests) == 1


@pytest.mark.parametrize("call", READS)
def test_an_answer_that_announces_too_much_is_not_read(call: str) -> None:
    """Fault 8.18: a terabyte was allocated first."""
    huge = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\nx")
    with HttpSource(huge) as source, pytest.raises(RequestError, match="limit of"):
        CALLS[call](source.url)
    assert len(source.requests) == 1


def test_an_attachment_without_end_is_an_error() -> None:
    """Fault 8.18."""
    with HttpSource(endless) as source:
        storage = attachments(source.url, attachments=Destinations(max_bytes=5_000_000))
        for url in (f"{source.url}/steward", f"{source.url}/objects/1?storage_type=maester"):
            with storage.open({"url": url}) as blob, pytest.raises(StorageError, match="limit of 5000000"):
                for _ in blob.chunks():
                    pass


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"]
)
def test_an_answer_that_trickles_ends_at_the_limit_for_all_of_it(head: bytes) -> None:
    """Fault 8.19's kind: each byte came in time, the whole never."""
    piece = {b"HTTP/1.1 200 OK\r\n": b"A: b\r\n", b"": b"HTTP/1.1 100 Continue\r\n\r\n"}.get(head, b"x")

    with HttpSource(trickle(head, piece)) as source, pytest.raises(RequestError, match="too long in all"):
        rest.send("GET", source.url, {}, timeout=0.5)


def test_an_error_quotes_no_more_than_the_beginning_of_an_answer() -> None:
    with (
        HttpSource(content(b"x" * 1_000_000, "400 Bad Request")) as source,
        pytest.raises(RequestError) as caught,
    ):
        Platform(settings(source.url)).step()
    assert len(str(caught.value)) == rest.LONGEST_ERROR


def test_what_the_source_of_an_attachment_raises_is_not_the_storage_s() -> None:
    """Fault 8.15, the other way round: an OSError of the engine's stream was taken for one of the storage."""

    def chunks() -> Any:
        yield b"x" * 100_000
        raise ConnectionResetError("of the engine")

    with HttpSource(content(b"{}")) as source, pytest.raises(ConnectionResetError, match="of the engine"):
        Maester(settings(source.url)).put_stream(chunks(), "text/plain", None)


def test_a_storage_that_refuses_before_it_has_read_all_is_heard() -> None:
    def refuse(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 8\r\n\r\ntoo much")
        peer.shutdown(socket.SHUT_RD)

    with HttpSource(refuse) as source, pytest.raises(StorageError, match="too much") as caught:
        Maester(settings(source.url)).put_stream([b"x" * 65536] * 64, "text/plain", None)
    assert caught.value.status == 413


ANNOUNCED = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n")


@pytest.mark.parametrize("act", [ANNOUNCED, endless], ids=["announced", "endless"])
def test_an_object_that_finds_no_room_is_refused_where_it_is_announced_or_goes_on(act: Act) -> None:
    """fault 8.18: and it is asked for once only."""
    with HttpSource(act) as source:
        with pytest.raises(StorageError, match="more than the limit of 1000000") as caught:
            Maester(settings(source.url)).get_object("one", most=1_000_000)
        assert caught.value.final
        assert len(source.requests) == 1


def test_an_object_is_held_once_while_it_is_read() -> None:
    """fault 8.18: its pieces were held beside the whole."""
    block, count = bytes(1_000_000), 40

    def act(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(block) * count))
        for _ in range(count):
            peer.sendall(block)

    with HttpSource(act) as source:
        tracemalloc.start()
        try:
            assert len(Maester(settings(source.url)).get_object("one")) == len(block) * count
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 1.5 * len(block) * count
