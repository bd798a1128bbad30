"""The agent of SSH in a session: real keys, real signatures, and requests that make no sense."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from lib.engine import Endpoint, Engine
from lib.engine.buildkit.services import health
from lib.engine.buildkit.session import BuildSession
from lib.engine.buildkit.ssh_agent import LONGEST, Agent, ssh
from lib.engine.buildkit.ssh_keys import ssh_keys, ssh_texts, string
from lib.engine.errors import BadInput
from lib.engine.protobuf import fields, message
from tests.engine.buildkit.asking_engine import Asking, session
from tests.engine.scripted import Scripted
from tests.lab.waiting import DEADLINE

CHECK, FORWARD = "/moby.sshforward.v1.SSH/CheckAgent", "/moby.sshforward.v1.SSH/ForwardAgent"
KINDS = ("ed25519", "secp256r1", "secp384r1", "secp521r1", "rsa")
CURVES = {"secp256r1": ec.SECP256R1(), "secp384r1": ec.SECP384R1(), "secp521r1": ec.SECP521R1()}
OPENSSH, PEM = serialization.PrivateFormat.OpenSSH, serialization.PrivateFormat.PKCS8


@cache
def private(kind: str) -> Any:
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "rsa":
        return rsa.generate_private_key(65_537, 2048)
    return ec.generate_private_key(
        {"secp256r1": ec.SECP256R1, "secp384r1": ec.SECP384R1, "secp521r1": ec.SECP521R1}[kind]()
    )


def written(key: Any, form: Any = OPENSSH, password: bytes = b"") -> str:
    sealed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    text: bytes = key.private_bytes(serialization.Encoding.PEM, form, sealed)
    return text.decode()


def asked(agent: Agent, request: bytes) -> bytes:
    (answer,) = agent.take(message((1, string(request))))
    ((_, data),) = fields(answer)
    assert isinstance(data, bytes)
    return data[4:]


def strings(data: bytes) -> list[bytes]:
    found = []
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        found.append(data[4:end])
        data = data[end:]
    return found


@pytest.mark.parametrize("form", [OPENSSH, PEM], ids=["openssh", "pem"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_is_that_of_the_key_that_was_listed(kind: str, form: Any) -> None:
    key = private(kind)
    agent = Agent(ssh_keys(written(key, form))["default"])
    listed = asked(agent, b"\x0b")
    assert listed[:5] == b"\x0c\0\0\0\1"
    blob = strings(listed[5:])[0]
    flags = (4).to_bytes(4, "big")
    signed = asked(agent, b"\x0d" + string(blob) + string(b"to sign") + flags)
    assert signed[0] == 14
    name, signature = strings(strings(signed[1:])[0])
    if kind == "ed25519":
        assert name == b"ssh-ed25519"
        key.public_key().verify(signature, b"to sign")
    elif kind == "rsa":
        assert name == b"rsa-sha2-512"
        key.public_key().verify(signature, b"to sign", padding.PKCS1v15(), hashes.SHA512())
    else:
        r, s = (int.from_bytes(number, "big") for number in strings(signature))
        digest = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}[
            kind
        ]
        key.public_key().verify(encode_dss_signature(r, s), b"to sign", ec.ECDSA(digest))


def test_rsa_signs_with_sha2_only() -> None:
    (key,) = ssh_keys(written(private("rsa")))["default"]
    agent = Agent([key])
    for flags, answer in ((2, 14), (0, 5), (1, 5)):
        request = b"\x0d" + string(key.blob) + string(b"x") + flags.to_bytes(4, "big")
        assert asked(agent, request)[0] == answer


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\x11" + string(b"ssh-ed25519"),
        b"\x13",
        b"\x0d",
        b"\x0d" + string(b"other") + string(b"x"),
        b"\x0d\xff\xff\xff\xff",
    ],
    ids=["empty", "add a key", "remove all", "cut", "unknown key", "huge length"],
)
def test_all_other_requests_fail(request_: bytes) -> None:
    assert asked(Agent(ssh_keys(written(private("ed25519")))["default"]), request_) == b"\5"


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_the_connection_may_be_cut_anywhere(tmp_path: Path, size: int) -> None:
    keys = ssh_keys(
        {"": [written(private("ed25519")), written(private("rsa"))], "other": written(private("rsa"))}
    )
    stream = string(b"\x0b") * 3

    def script(asking: Asking) -> Any:
        checks = [asking.ask(CHECK, message((1, name))).code for name in ("", "default", "other", "nope")]
        call = asking.call(FORWARD, buildkit_ssh_id="default")
        pieces = [message((1, stream[at : at + size])) for at in range(0, len(stream), size)]
        asking.send(call, *pieces, end=True)
        return checks, asking.answer(call), asking.ask(FORWARD)

    checks, answered, unnamed = asked_in_session(tmp_path, script, keys)
    assert checks == [0, 0, 0, 5]
    told = b"".join(
        bytes(data) for one in answered.messages for _, data in fields(one) if isinstance(data, bytes)
    )
    assert [answer[:5] for answer in strings(told)] == [b"\x0c\0\0\0\2"] * 3
    assert unnamed.code == 0


def test_an_agent_that_is_not_given_is_refused(tmp_path: Path) -> None:
    def script(asking: Asking) -> Any:
        return asking.ask(FORWARD, buildkit_ssh_id="nope"), asking.ask(CHECK, b"\xff")

    forward, check = asked_in_session(tmp_path, script, {})
    assert (forward.code, check.code) == (5, 5)


def test_a_message_without_end_is_refused(tmp_path: Path) -> None:
    def script(asking: Asking) -> Any:
        call = asking.call(FORWARD)
        asking.send(call, message((1, (LONGEST + 1).to_bytes(4, "big"))))
        return asking.answer(call)

    assert asked_in_session(tmp_path, script, ssh_keys(written(private("ed25519")))).code == 8


def asked_in_session(tmp_path: Path, script: Any, keys: Any) -> Any:
    told: Queue[Any] = Queue()
    with (
        Scripted(tmp_path, session(script, told)) as peer,
        Engine(Endpoint.parse(peer.url)) as engine,
        BuildSession(engine, {**health(), **ssh(keys)}),
    ):
        found = told.get(timeout=DEADLINE)
    if isinstance(found, Exception):
        raise found
    return found


def test_a_key_on_one_line_is_read() -> None:
    text = written(private("ed25519"))
    assert ssh_keys(text.replace("\n", "\\n"))["default"][0].blob == ssh_keys(text)["default"][0].blob
    assert ssh_texts({"a": [text], "b": "x"}) == [text, "x"]
    assert ssh_texts(text) == [text]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("hush-hush", "cannot be read"),
        ({"a": written(private("rsa"), PEM, b"hush-hush")}, "has a password"),
        ({"a": []}, "1 to 20 keys"),
        ({"a": 7}, "as text"),
        ({"a,b": written(private("ed25519"))}, "without commas"),
        ({"a\nb": written(private("ed25519"))}, "without commas"),
        ({"": written(private("ed25519")), "default": written(private("ed25519"))}, "default twice"),
        ({f"a{number}": written(private("ed25519")) for number in range(21)}, "more than 20 ids"),
        ({"a": "x" * 70_000}, "as text"),
        (written(ec.generate_private_key(ec.SECP256K1()), PEM), "curve secp256k1"),
        (written(dsa.generate_private_key(1024), PEM), "neither"),
        ([], "a key or an object"),
    ],
)
def test_keys_that_cannot_be_used_are_refused(value: Any, told: str) -> None:
    with pytest.raises(BadInput, match=told) as caught:
        ssh_keys(value)
    assert "hush-hush" not in str(caught.value)
    assert caught.value.field == "ssh"
