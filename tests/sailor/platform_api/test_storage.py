"""Attachments in a folder, and HTTP that breaks half-way."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib.sailor.errors import RequestError, StorageError
from lib.sailor.platform import http as rest
from lib.sailor.platform.api import Platform
from lib.sailor.platform.attachments import Attachments
from lib.sailor.settings import Settings
from lib.sailor.standalone.folder import FolderStorage
from tests.lab.at_once import beside
from tests.lab.waiting import DEADLINE


def test_a_folder_keeps_attachments(tmp_path: Path) -> None:
    storage = FolderStorage(str(tmp_path / "new folder ä"))

    stored = storage.store(iter((b"abc", b"def")), content_type="text/plain")

    assert (stored["size"], stored["content-type"]) == (6, "text/plain")
    with storage.open(stored) as blob:
        assert b"".join(blob.chunks()) == b"abcdef"
        assert (blob.size, blob.content_type) == (6, "text/plain")


@pytest.mark.parametrize("url", ["http://x/y", "", "file:///no/such/file"])
def test_a_folder_opens_files_only(tmp_path: Path, url: str) -> None:
    with pytest.raises(StorageError):
        FolderStorage(str(tmp_path)).open({"url": url})


class Broken(Exception):
    """What the source of an attachment fails with."""


def broken_off() -> Iterator[bytes]:
    yield b"x" * 100_000
    raise Broken


def test_half_an_attachment_is_not_kept_in_the_folder_fault_8_34(tmp_path: Path) -> None:
    with pytest.raises(Broken):
        FolderStorage(str(tmp_path)).store(broken_off(), content_type="text/plain")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [None, 200_000])
def test_half_an_object_is_never_ended_fault_8_34(size: int | None) -> None:
    """The storage sees that the connection ends within the object, at once, and keeps nothing of it."""
    door = socket.create_server(("127.0.0.1", 0))
    door.settimeout(DEADLINE)
    came = bytearray()

    def serve() -> None:
        near, _ = door.accept()
        near.settimeout(DEADLINE)
        with near:
            while piece := near.recv(65536):
                came.extend(piece)

    serving = beside(serve)
    uri = f"http://127.0.0.1:{door.getsockname()[1]}"
    settings = Settings(object_storage_uri=uri, object_storage_token="t", request_max_retry=0)
    with door:
        with pytest.raises(Broken) as kept:
            Attachments(settings, Platform(settings)).store(
                broken_off(), content_type="text/plain", size=size
            )
        serving.result()  # although the error, and with it the frames of the call, is still there
    assert kept.value
    assert came.count(b"x") > 100_000
    assert not came.endswith(b"0\r\n\r\n")


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that sends these bytes to the first who asks, and closes."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        near, _ = door.accept()
        with near:
            near.recv(65536)
            near.sendall(answer)

    serving = beside(serve)
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        door.close()
        serving.result()


def attachments() -> Attachments:
    settings = Settings(request_max_retry=0)
    return Attachments(settings, Platform(settings))


CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
CUT_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"


@pytest.mark.parametrize(("answer", "text"), [(CUT, "cut off after 3 of 10"), (CUT_CHUNK, "was cut off")])
def test_an_attachment_that_is_cut_off_is_an_error(answer: bytes, text: str) -> None:
    with (
        answering(answer) as url,
        attachments().open({"url": url}) as blob,
        pytest.raises(StorageError, match=text),
    ):
        list(blob.chunks())


def test_an_attachment_of_unknown_size_is_read_to_its_end() -> None:
    with (
        answering(b"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\n\r\nabc") as url,
        attachments().open({"url": url}) as blob,
    ):
        assert (blob.size, blob.content_type) == (None, "text/x")
        assert b"".join(blob.chunks()) == b"abc"


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"]
)
def test_an_answer_that_is_none_is_an_error_without_secrets(answer: bytes) -> None:
    with answering(answer) as url, pytest.raises(RequestError) as caught:
        rest.send("GET", f"{url}/path?signature=secret", {})

    assert caught.value.status is None
    assert "/path" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "no url"])
def test_what_is_no_http_address_is_refused(url: str) -> None:
    with pytest.raises(RequestError, match="is no http address"):
        rest.send("GET", url, {})


def failing(*errors: RequestError) -> Callable[[], str]:
    waiting = list(errors)

    def call() -> str:
        if waiting:
            raise waiting.pop(0)
        return "done"

    return call


def test_server_errors_and_silence_are_retried() -> None:
    call = failing(RequestError("silence"), RequestError("server", 503))

    assert rest.retrying(call, 3, lambda _: 0) == "done"


def test_client_errors_are_not() -> None:
    with pytest.raises(RequestError, match="client"):
        rest.retrying(failing(RequestError("client", 404)), 3, lambda _: 0)


def test_the_last_error_is_raised() -> None:
    with pytest.raises(RequestError, match="second"):
        rest.retrying(failing(RequestError("first"), RequestError("second")), 2, lambda _: 0)


def test_pauses_grow() -> None:
    pauses = [rest.growing(100)(attempt) for attempt in range(10)]

    assert all(100 * 2**n <= pause <= 120 * 2**n for n, pause in enumerate(pauses[:7]))
    assert pauses[-1] == 15_000
