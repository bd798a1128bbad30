"""Sources of uploads that cannot be read: an error of the input, and nothing is sent (faults 8.15 and 8.26)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.net.destinations import Destinations
from lib.sailor.platform.api import Platform
from lib.sailor.platform.attachments import Attachments
from lib.sailor.settings import Settings
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.recorder import Recorder
from tests.actions.stepping import FAST, Outcome, run_step
from tests.lab.http_source import Act, HttpSource, content, raw, redirect, trickle

SECRET = "canary-8f3a71"
OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    ("PutContainerArchive", {"id": "web", "path": "/tmp"}),
    ("ImageBuild", {}),
    ("ImageLoad", {}),
    ("ImageCreate", {"fromSrc": "-"}),
    ("PluginCreate", {"name": "plug"}),
]
SOURCES = Destinations(max_bytes=200_000)
PATIENT = replace(FAST, urls=SOURCES)
# By what is told then: each has one short limit, so that on a slow machine no other is told.
IMPATIENT = {
    "timed out": replace(FAST, urls=replace(SOURCES, idle_seconds=1)),
    "too long": replace(FAST, urls=replace(SOURCES, max_seconds=2)),
}
GZIP = b"\x1f\x8b\x08"  # as a compressed archive begins
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


def silent(peer: socket.socket) -> None:
    """Say nothing until the client goes."""
    with suppress(OSError):
        peer.recv(1)


ACTS: dict[str, tuple[Act, str]] = {
    "absent": (content(b"", "404 Not Found"), "404"),
    "failing": (content(b"", "503 Service Unavailable"), "503"),
    "empty answer": (content(b"", "204 No Content"), "204"),
    "closing": (raw(b""), "failed"),
    "no http": (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), "failed"),
    "cut at once": (raw(HEAD + b"abc"), "cut off"),
    "cut before 64 kB": (raw(HEAD + b"x" * 60000), "cut off"),
    "cut chunk": (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"), "cut off"),
    "bad chunk": (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc"), "cut off"),
    "silent": (silent, "timed out"),
    "slow head": (trickle(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"), "too long"),
    "endless interim answers": (trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "too long"),
    "slow body": (trickle(HEAD, b"x"), "too long"),
    "too large": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 200001\r\n\r\n"), "limit of 200000"),
    "redirect to metadata": (redirect("http://169.254.169.254/latest/meta-data/"), "may not be asked"),
    "redirect to a file": (redirect("file:///etc/passwd"), "no http address"),
    "redirect to nowhere": (content(b"", "302 Found"), "redirect"),
    "circle": (redirect("/again"), "one redirect too many"),
    "another encoding": (content(b"x", "200 OK", "Content-Encoding: br"), "encoding"),
}


def refused(key: str, body: dict[str, Any], tmp_path: Path, **more: Any) -> dict[str, Any]:
    """The one error of a step whose engine was not asked, and which is not put back either."""
    with Recorder(tmp_path) as recorder:
        outcome: Outcome = run_step(key, body, {"server": recorder.url, "errorPolicy": "rebound"}, **more)
    assert recorder.asked == []
    assert (outcome.rebounds, outcome.messages) == ([], [])
    (error,) = outcome.errors
    assert error["name"] == "BadInput", error
    assert SECRET not in str(error)
    assert SECRET not in "".join(outcome.log)
    return error


@pytest.mark.parametrize("act", ACTS)
def test_a_url_that_gives_nothing_is_bad_input(act: str, tmp_path: Path) -> None:
    """Faults 8.15 and 8.26."""
    does, told = ACTS[act]
    with HttpSource(does) as source:
        url = f"http://user:{SECRET}@127.0.0.1:{source.port}/context.tar?signature={SECRET}"
        error = refused("ImageBuild", {"url": url}, tmp_path, settings=IMPATIENT.get(told, PATIENT))
    assert error["message"].startswith('url ("')
    assert told in error["message"]


@pytest.mark.parametrize(("key", "body"), OPERATIONS)
def test_a_refused_connection_is_bad_input_for_every_operation(
    key: str, body: dict[str, Any], tmp_path: Path
) -> None:
    """Fault 8.15: it hung for 900 seconds, kept the container locked and ended as OutcomeUnknown."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens
        url = f"http://user:{SECRET}@127.0.0.1:{closed.getsockname()[1]}/x.tar"
        error = refused(key, {**body, "url": url}, tmp_path)
    assert error["message"].startswith('url ("')
    assert "refused" in error["message"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://no-such-host.invalid/x", "cannot be resolved"),
        ("http://a..b/x", "no"),
        ("http://[::1/x", "no http address"),
        ("http://127.0.0.1:99999/x", "no http address"),
        ("http:///x", "no http address"),
        ("ftp://127.0.0.1/x", "http://"),
        ("http://169.254.169.254/latest/meta-data/iam/", "may not be asked"),
        ("http://[::ffff:a9fe:a9fe]/latest/", "may not be asked"),
        ("http://2852039166/latest/", "may not be asked"),
        ("http://0/", "may not be asked"),
    ],
)
def test_an_address_that_cannot_be_asked_is_bad_input(url: str, told: str, tmp_path: Path) -> None:
    """Faults 8.15 and 8.26."""
    error = refused("ImageLoad", {"url": url}, tmp_path)
    assert error["message"].startswith("url")
    assert told in error["message"]


@pytest.mark.parametrize(
    "password", [f"{SECRET}/x", f"12/{SECRET}", f"{SECRET}?x", f"{SECRET}#x", f"x@{SECRET}", f"[{SECRET}"]
)
def test_a_password_that_breaks_its_address_is_not_shown(password: str, tmp_path: Path) -> None:
    """Fault 8.23's kind: the half of it is no host, and no port."""
    refused("ImageLoad", {"url": f"http://me:{password}@127.0.0.1:1/x"}, tmp_path)


@pytest.mark.parametrize("length", [5, 65536, 200_000])
@pytest.mark.parametrize("hops", [0, 5])
def test_the_content_goes_to_the_engine_with_its_length(length: int, hops: int, tmp_path: Path) -> None:
    body = GZIP + b"x" * (length - len(GZIP))
    with (
        HttpSource(*[redirect("/next")] * hops, content(body)) as source,
        Recorder(tmp_path) as recorder,
    ):
        outcome = run_step(
            "PutContainerArchive", {**OPERATIONS[0][1], "url": source.url}, {"server": recorder.url}
        )
    assert outcome.errors == []
    (asked,) = recorder.asked
    assert asked.body == body
    assert asked.headers["Content-Length"] == str(length)
    assert source.header("Accept-Encoding") == "identity"


def endless_archive(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        peer.sendall(b"10000\r\n" + GZIP + bytes(65533) + b"\r\n")


def test_a_source_longer_than_the_limit_ends_the_call(tmp_path: Path) -> None:
    """Fault 8.26: it announced no length, so the engine has a part of it."""
    with HttpSource(endless_archive) as source, Recorder(tmp_path) as recorder:
        outcome = run_step("ImageLoad", {"url": source.url}, {"server": recorder.url}, settings=PATIENT)
    (error,) = outcome.errors
    assert error["name"] == "OutcomeUnknown"
    assert "limit of 200000 bytes" in error["message"]


def test_nothing_of_the_environment_is_sent_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 8.26: neither the passwords of netrc nor the proxies of the environment."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"default login me password {SECRET}\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with HttpSource(content(GZIP)) as source, HttpSource(content(b"proxy")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with Recorder(tmp_path) as recorder:
            outcome = run_step("ImageLoad", {"url": source.url}, {"server": recorder.url})
    assert outcome.errors == []
    assert recorder.asked[0].body == GZIP
    assert source.header("Authorization") is None
    assert proxy.requests == []


def test_the_user_of_an_address_is_told_to_that_host_alone(tmp_path: Path) -> None:
    """Fault 8.26."""
    with HttpSource(content(GZIP)) as other, HttpSource(redirect("/here"), redirect(other.url)) as source:
        url = f"http://user:{SECRET}@127.0.0.1:{source.port}/"
        with Recorder(tmp_path) as recorder:
            outcome = run_step("ImageLoad", {"url": url}, {"server": recorder.url})
    assert outcome.errors == []
    assert source.header("Authorization", 0) == source.header("Authorization", 1) is not None
    assert other.header("Authorization") is None


def steward(**settings: Any) -> Attachments:
    chosen = Settings(request_max_retry=0, **settings)
    return Attachments(chosen, Platform(chosen))


@pytest.mark.parametrize(("key", "body"), OPERATIONS)
def test_an_attachment_that_is_not_there_is_bad_input_for_every_operation(
    key: str, body: dict[str, Any], tmp_path: Path
) -> None:
    """Fault 8.15."""
    with HttpSource(content(b"expired", "403 Forbidden")) as source:
        files = {"file": {"url": f"{source.url}/file?signature={SECRET}"}}
        error = refused(key, body, tmp_path, attachments=files, storage=steward())
    assert "403" in error["message"]
    assert error["message"].startswith('attachment ("')


def closed_port(files: Callable[[str], dict[str, Any]], tmp_path: Path, **config: str) -> Outcome:
    with socket.socket() as closed, Recorder(tmp_path) as recorder:
        closed.bind(("127.0.0.1", 0))
        attachments = files(f"http://127.0.0.1:{closed.getsockname()[1]}/f")
        settings = {"server": recorder.url, **config}
        outcome = run_step("ImageLoad", {}, settings, attachments=attachments, storage=steward())
    assert recorder.asked == []
    return outcome


def test_a_storage_that_is_away_puts_the_message_back(tmp_path: Path) -> None:
    """Fault 8.15: nothing was sent, and the storage may be there later."""
    outcome = closed_port(lambda url: {"file": {"url": url}}, tmp_path)
    assert outcome.errors == []
    (reason,) = outcome.rebounds
    assert "refused" in reason


def test_a_storage_that_is_away_can_be_an_error(tmp_path: Path) -> None:
    outcome = closed_port(lambda url: {"file": {"url": url}}, tmp_path, errorPolicy="throwError")
    assert [error["name"] for error in outcome.errors] == ["StorageUnreachable"]


def test_an_attachment_of_another_size_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    storage = FolderStorage(str(tmp_path / "files"))
    stored = storage.store([b"abc"], content_type="application/x-tar")
    error = refused("ImageLoad", {}, tmp_path, attachments={"f": {**stored, "size": 4}}, storage=storage)
    assert "3 bytes" in error["message"]


@pytest.mark.parametrize("place", ["folder", "absent"])
def test_a_file_that_cannot_be_read_is_bad_input(place: str, tmp_path: Path) -> None:
    """Fault 8.15: an OSError of a file was taken for the engine's early refusal."""
    (tmp_path / "folder").mkdir()
    files = {"f": {"url": f"file://{tmp_path}/{place}"}}
    refused("ImageLoad", {}, tmp_path, attachments=files, storage=FolderStorage(str(tmp_path)))


@pytest.mark.parametrize("attachment", ["text", ["x"], 1, {"url": 5}, {"url": None}, {}])
def test_an_odd_attachment_is_bad_input(attachment: Any, tmp_path: Path) -> None:
    refused("ImageLoad", {}, tmp_path, attachments={"f": attachment}, storage=steward())


def test_an_attachment_of_the_metadata_service_is_refused(tmp_path: Path) -> None:
    """Fault 8.26: addresses of attachments come with the message, too."""
    files = {"f": {"url": "http://169.254.169.254/latest/meta-data/"}}
    error = refused("ImageLoad", {}, tmp_path, attachments=files, storage=steward())
    assert "may not be asked" in error["message"]
