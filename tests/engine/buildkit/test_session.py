"""The session of a build against an engine that asks well, badly, too much, and not at all."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from lib.engine import Endpoint, Engine
from lib.engine.buildkit.calls import LONGEST_MESSAGE
from lib.engine.buildkit.offered import Offered
from lib.engine.buildkit.rpc_server import STREAMS, RpcServer
from lib.engine.buildkit.services import Asked, auth, health, secrets
from lib.engine.buildkit.session import BuildSession
from lib.engine.buildkit.ssh_keys import ssh_keys
from lib.engine.errors import NotSupported
from lib.engine.protobuf import fields, message
from lib.engine.request.registry_auth import Registries
from tests.engine.buildkit.asking_engine import HEAD, HEALTH, LOGIN, SECRET, Asking, session
from tests.engine.scripted import Scripted, answer, say
from tests.lab.waiting import DEADLINE, wait_until

SECRETS = {"token": b"hush-hush", "large": bytes(range(256)) * 1600}
LOGINS = Registries.parse(
    {
        "docker.io": {"username": "me", "password": "pass-of-hub"},
        "registry.example.org:5000": {"identitytoken": "token-of-example"},
        "odd.example.org": {"registrytoken": "cannot be served"},
    }
).logins
ASKED = Asked(frozenset(SECRETS))
METHODS = {**health(), **auth(LOGINS, Asked()), **secrets(SECRETS, ASKED)}


@pytest.fixture
def told() -> Queue[Any]:
    return Queue()


def run(tmp_path: Path, told: Queue[Any], script: Callable[[Asking], Any], **options: Any) -> Any:
    """What `script` returns, asked in a session of our own; raises what it raised."""
    with (
        Scripted(tmp_path, session(script, told, **options)) as peer,
        Engine(Endpoint.parse(peer.url)) as engine,
    ):
        with BuildSession(engine, METHODS):
            found = told.get(timeout=DEADLINE)
        (request,) = peer.requests
    if isinstance(found, Exception):
        raise found
    assert b"upgrade: h2c" in request.lower()
    return found


def test_the_request_names_the_session_and_the_methods(tmp_path: Path, told: Queue[Any]) -> None:
    with (
        Scripted(tmp_path, session(lambda asking: asking.ask(HEALTH), told)) as peer,
        Engine(Endpoint.parse(peer.url)) as engine,
        BuildSession(engine, METHODS) as opened,
    ):
        assert told.get(timeout=DEADLINE).messages == [message((1, 1))]
        (request,) = peer.requests
    assert request.startswith(b"POST /v1.41/session HTTP/1.1\r\n")
    assert f"X-Docker-Expose-Session-Uuid: {opened.id}\r\n".encode() in request
    for method in (HEALTH, SECRET, LOGIN):
        assert f"X-Docker-Expose-Session-Grpc-Method: {method}\r\n".encode() in request
    assert opened.fault == ""


@pytest.mark.parametrize("pieces", [0, 1, 7])
def test_the_engines_first_bytes_may_come_in_any_pieces(
    tmp_path: Path, told: Queue[Any], pieces: int
) -> None:
    assert run(tmp_path, told, lambda asking: asking.ask(HEALTH), pieces=pieces).code == 0


def test_secrets_are_given_by_id_and_others_refused(tmp_path: Path, told: Queue[Any]) -> None:
    known, unknown = run(tmp_path, told, lambda asking: (asking.secret("token"), asking.secret("nope")))
    assert list(fields(known.messages[0])) == [(1, b"hush-hush")]
    assert (unknown.code, unknown.messages) == (5, [])
    assert "nope" in ASKED.missing()
    assert "token" not in ASKED.unused()


def test_what_engines_ask_on_their_own_is_not_missing() -> None:
    asked = Asked(frozenset({"a"}))
    for name in ("GIT_AUTH_TOKEN", "HTTP_AUTH_HEADER_build-context-x", "mine"):
        asked.add(name)
    assert (asked.missing(), asked.unused()) == (["mine"], ["a"])


def test_an_answer_larger_than_the_window_comes_whole(tmp_path: Path, told: Queue[Any]) -> None:
    found = run(tmp_path, told, lambda asking: asking.secret("large"), INITIAL_WINDOW_SIZE=1_000)
    assert list(fields(found.messages[0])) == [(1, SECRETS["large"])]
    assert found.code == 0


@pytest.mark.parametrize("first", [0, 1_000])
def test_a_window_that_opens_late_is_waited_for_and_health_goes_on(
    tmp_path: Path, told: Queue[Any], first: int
) -> None:
    def opened(asking: Asking) -> Any:
        stream = asking.call(SECRET)
        asking.send(stream, message((1, "large")), end=True)
        asking.windows = False
        while len(asking.answers[stream].data) < first:
            asking.hear()
        alive = None
        if first:  # without a window, nothing is answered
            alive = asking.ask(HEALTH).code
        early = stream in asking.over
        asking.windows = True
        asking.h2.increment_flow_control_window(1 << 20, stream)
        asking.h2.increment_flow_control_window(1 << 20)
        asking.flush()
        return alive, early, asking.answer(stream)

    alive, early, found = run(tmp_path, told, opened, INITIAL_WINDOW_SIZE=first)
    assert (alive, early, found.code) == (0 if first else None, False, 0)
    assert list(fields(found.messages[0])) == [(1, SECRETS["large"])]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("registry-1.docker.io", [(1, b"me"), (2, b"pass-of-hub")]),
        ("registry.example.org:5000", [(2, b"token-of-example")]),
        ("registry.example.org", []),
        ("odd.example.org", []),
        ("evil-docker.io", []),
    ],
)
def test_logins_are_given_to_their_very_host(
    tmp_path: Path, told: Queue[Any], host: str, expected: list[Any]
) -> None:
    found = run(tmp_path, told, lambda asking: asking.login(host))
    assert (found.code, list(fields(found.messages[0]))) == (0, expected)


@pytest.mark.parametrize(
    "method",
    [
        "/moby.filesync.v1.Auth/GetTokenAuthority",
        "/moby.filesync.v1.FileSync/DiffCopy",
        "/x",
        "/" + "y" * 9_000,
    ],
)
def test_methods_that_are_not_served_are_refused(tmp_path: Path, told: Queue[Any], method: str) -> None:
    first, second = run(tmp_path, told, lambda asking: (asking.ask(method), asking.ask(HEALTH)))
    assert (first.code, second.code) == (12, 0)


def test_a_message_in_many_frames_and_two_calls_at_once(tmp_path: Path, told: Queue[Any]) -> None:
    def script(asking: Asking) -> Any:
        one, two = asking.call(SECRET), asking.call(LOGIN)
        framed = b"\0" + len(message((1, "token"))).to_bytes(4, "big") + message((1, "token"))
        for at in range(len(framed)):
            asking.raw(one, framed[at : at + 1])
        asking.send(two, message((1, "docker.io")), end=True)
        asking.raw(one, b"", end=True)
        return asking.answer(one), asking.answer(two)

    one, two = run(tmp_path, told, script)
    assert (list(fields(one.messages[0])), two.code) == ([(1, b"hush-hush")], 0)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\1\0\0\0\1x", 12),
        (b"\0" + (LONGEST_MESSAGE + 1).to_bytes(4, "big") + b"x", 8),
        (b"\0\0\0\0\5x", 13),
    ],
    ids=["compressed", "too long", "cut"],
)
def test_messages_that_cannot_be_read_are_refused(
    tmp_path: Path, told: Queue[Any], data: bytes, code: int
) -> None:
    def script(asking: Asking) -> Any:
        stream = asking.call(SECRET)
        asking.raw(stream, data, end=True)
        return asking.answer(stream), asking.ask(HEALTH)

    refused, alive = run(tmp_path, told, script)
    assert (refused.code, alive.code) == (code, 0)


@pytest.mark.parametrize(
    "request_", [b"\xff", b"\x08\x01", b"\x0a\x02\xff\xfe"], ids=["cut", "number", "no text"]
)
def test_requests_that_make_no_sense_get_a_refusal(tmp_path: Path, told: Queue[Any], request_: bytes) -> None:
    secret, login = run(
        tmp_path, told, lambda asking: (asking.ask(SECRET, request_), asking.ask(LOGIN, request_))
    )
    assert (secret.code, login.code) == (5, 0)


def test_a_ping_and_a_reset_in_midstream_are_lived_through(tmp_path: Path, told: Queue[Any]) -> None:
    def script(asking: Asking) -> Any:
        stream = asking.call(SECRET)
        asking.raw(stream, b"\0\0\0")
        asking.h2.reset_stream(stream)
        asking.h2.ping(b"12345678")
        asking.flush()
        return asking.ask(HEALTH)

    assert run(tmp_path, told, script).code == 0


def opened(tmp_path: Path, act: Any) -> BuildSession:
    """A session that the engine has ended; it is closed."""
    with Scripted(tmp_path, act) as peer, Engine(Endpoint.parse(peer.url)) as engine:
        with BuildSession(engine, METHODS) as session:
            wait_until(lambda: session.fault, "the session to end")
        assert not any(thread.name == "build session" for thread in threading.enumerate())
        return session


@pytest.mark.parametrize(
    "rubbish",
    [
        b"HTTP/1.1 200 OK\r\nServer: none\r\n\r\n",
        b"\0" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\5\4\0\0\0\0\0xxxxx",
    ],
    ids=["no HTTP/2", "zeros", "settings cut"],
)
def test_what_is_no_http2_ends_the_session(tmp_path: Path, rubbish: bytes) -> None:
    def act(peer: socket.socket) -> None:
        peer.sendall(HEAD + rubbish)
        peer.recv(65_536)
        while peer.recv(65_536):
            pass

    assert "HTTP/2: " in opened(tmp_path, act).fault


def test_an_engine_that_says_goodbye_or_closes_ends_the_session(tmp_path: Path) -> None:
    def goodbye(peer: socket.socket) -> None:
        asking = Asking(peer)
        peer.sendall(HEAD + asking.preface())
        asking.h2.close_connection()
        asking.flush()
        while peer.recv(65_536):
            pass

    def close(peer: socket.socket) -> None:
        peer.sendall(HEAD)
        peer.recv(65_536)
        peer.shutdown(socket.SHUT_RDWR)

    for number, act in enumerate((goodbye, close)):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert "The connection of the build session was lost" in opened(folder, act).fault


def test_calls_without_end_are_limited_in_number_and_bytes(tmp_path: Path) -> None:
    def act(peer: socket.socket) -> None:
        asking = Asking(peer)
        peer.sendall(HEAD + asking.preface())
        asking.hear()
        begun = b"\0" + LONGEST_MESSAGE.to_bytes(4, "big")
        streams = [asking.call(SECRET) for _ in range(STREAMS)]
        for stream in streams:
            asking.raw(stream, begun + b"x" * (LONGEST_MESSAGE - 1))

    assert "more than 16777216 bytes" in opened(tmp_path, act).fault


def test_a_session_is_ended_while_the_engine_is_silent(tmp_path: Path, told: Queue[Any]) -> None:
    def script(asking: Asking) -> Any:
        told.put("asked")
        while True:
            asking.hear()

    with Scripted(tmp_path, session(script, told)) as peer, Engine(Endpoint.parse(peer.url)) as engine:
        with BuildSession(engine, METHODS) as session_:
            assert told.get(timeout=DEADLINE) == "asked"
        assert isinstance(told.get(timeout=DEADLINE), ConnectionError)
        assert session_.fault == ""
    assert not any(thread.name == "build session" for thread in threading.enumerate())


def test_a_refusal_and_another_protocol_open_no_session(tmp_path: Path) -> None:
    # After a refusal the ways through POST /grpc and by HTTP/2 are tried, too.
    refusal = say(answer(b'{"message":"page not found"}', "404 Not Found"))
    with (
        Scripted(tmp_path, refusal, refusal, say(answer(b"{}")), refusal) as peer,
        Engine(Endpoint.parse(peer.url)) as engine,
    ):
        with pytest.raises(
            NotSupported, match="POST /session was answered with 404, POST /grpc was answered with 404"
        ):
            BuildSession(engine, METHODS)
        with pytest.raises(NotSupported, match="POST /session was answered without opening a connection"):
            BuildSession(engine, METHODS)


def test_nothing_that_holds_secrets_shows_them(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.OpenSSH
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    wished = {
        "secrets": {"token": "hush-hush"},
        "ssh": text,
        "X_Registry_Config": {"r.example.org": {"username": "me", "password": "hush-hush"}},
    }
    with Engine(Endpoint.parse(f"unix://{tmp_path}/x"), build_secrets={"a": b"hush-hush"}) as engine:
        offered = Offered(engine, wished)
        server = RpcServer(offered.methods)
        held = [engine, offered, offered.methods, offered.secrets, offered.hosts, server, ssh_keys(text)]
        shown = repr(held)
    assert "hush" not in shown
    assert text.splitlines()[2] not in shown


def test_h2_is_imported_by_no_action() -> None:
    program = (
        "import sys, pathlib, importlib\n"
        "for folder in ('actions', 'triggers'):\n"
        "    for path in pathlib.Path(folder).rglob('*.py'):\n"
        "        importlib.import_module('.'.join(path.with_suffix('').parts).removesuffix('.__init__'))\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in ('h2', 'hpack', 'hyperframe')))"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE,
    )
    assert done.stdout.strip() == "[]"
