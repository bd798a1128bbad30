"""Fault 8.22: nothing that leaves a step as an error tells a secret, whatever engine or proxy quote."""

from __future__ import annotations

import base64
import binascii
import json
import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_plus

import pytest

from lib.action.input.message_secrets import message_secrets
from lib.action.input.validation import validator
from tests.actions.inputs import FACTS
from tests.actions.stepping import Outcome, forget_engines, run_step
from tests.engine.scripted import Scripted, answer, say
from tests.local.running import ROOT

CANARY = 'canary"%s/ü-7hK?~q'
RUN = re.compile(r"[A-Za-z0-9+/_-]{8,}")
LOGIN = {"username": "somebody", "password": CANARY % "login", "serveraddress": "registry.lab"}


def packed(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


# By operation: a message whose fields hold secrets; each canary says where it stood.
MESSAGES: dict[str, list[dict[str, Any]]] = {
    "ImageCreate": [
        {"fromImage": "registry.lab/a", "X_Registry_Auth": LOGIN},
        {"fromImage": "registry.lab/a", "X_Registry_Auth": json.dumps(LOGIN)},
        {"fromImage": "registry.lab/a", "X_Registry_Auth": packed(LOGIN)},
        {"fromImage": "a", "X_Registry_Auth": {"identitytoken": CANARY % "identity"}},
        {"fromImage": "a", "X_Registry_Auth": {"registrytoken": CANARY % "registry"}},
        {"fromSrc": "https://me:canary-of-a-source@files.lab/x.tar"},
        {"fromSrc": "https://files.lab/x.tar?X-Amz-Signature=canary-of-a-signature&y=1"},
    ],
    "ImagePush": [
        {"name": "a", "X_Registry_Auth": {"auth": base64.b64encode(b"me:canary-of-auth").decode()}},
    ],
    "ImageBuild": [
        {"remote": "https://x-token:canary-of-a-remote@git.lab/a.git"},
        {"remote": "https://canary-of-a-lone-user@git.lab/a.git"},
        {"remote": "a", "buildargs": {"NPM_LOGIN": CANARY % "argument", "TOKEN": "c4n4"}},
        {"remote": "a", "buildargs": json.dumps({"NPM_LOGIN": CANARY % "argument"})},
        {"remote": "a", "X_Registry_Config": {"registry.lab": LOGIN}},
    ],
    "SystemAuth": [{"requestBody": LOGIN}],
    "ContainerCreate": [
        {"requestBody": {"Image": "a", "Env": [f"DATABASE={CANARY % 'variable'}", "PASS=c4n4ry"]}},
        {"requestBody": {"Image": "a", "Cmd": ["run", "--password=canary-of-a-command"]}},
        {"requestBody": {"HostConfig": {"LogConfig": {"Config": {"splunk-token": CANARY % "option"}}}}},
    ],
    "ContainerExec": [{"id": "a", "requestBody": {"Env": [f"A={CANARY % 'variable'}"], "Cmd": ["x"]}}],
    "SwarmJoin": [{"requestBody": {"ListenAddr": "a", "RemoteAddrs": ["a"], "JoinToken": CANARY % "join"}}],
    "SwarmUnlock": [{"requestBody": {"UnlockKey": CANARY % "unlock"}}],
    "SwarmInit": [{"requestBody": {"Spec": {"CAConfig": {"SigningCAKey": CANARY % "key"}}}}],
    "SecretCreate": [{"requestBody": {"Name": "a", "Data": base64.b64encode(b"canary-of-data").decode()}}],
    "ConfigCreate": [{"requestBody": {"Name": "a", "Data": base64.b64encode(b"canary-of-data").decode()}}],
    "ServiceCreate": [
        {"requestBody": {"TaskTemplate": {"ContainerSpec": {"Image": "a", "Env": [f"A={CANARY % 'task'}"]}}}}
    ],
    "VolumeCreate": [
        {"requestBody": {"DriverOpts": {"o": "addr=nas,username=me,password=canary-of-a-mount,rw"}}}
    ],
    "PluginSet": [{"name": "a", "requestBody": [f"A={CANARY % 'setting'}"]}],
}
CASES = [
    pytest.param(key, body, id=f"{key}-{number}")
    for key, bodies in MESSAGES.items()
    for number, body in enumerate(bodies)
]
CONFIG = {
    "registries": json.dumps({"docker.io": {"username": "somebody", "password": CANARY % "credential"}}),
    "tlsVerify": "verify",
}


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    forget_engines()


def echoed(key: str, body: Any, status: str, kind: str, **config: Any) -> tuple[Outcome, str]:
    """Run a step against an engine whose error quotes the whole request, and return what it quoted."""
    with tempfile.TemporaryDirectory() as folder:
        said: list[str] = []

        def act(peer: socket.socket) -> None:
            head, _, payload = engine.requests[-1].partition(b"\r\n\r\n")
            text = head.decode("latin-1") + " | " + payload.decode("utf-8", "replace")
            told = f"{text} | {unquote_plus(text)} | {told_again(text)}"[:1900]
            said.append(told)
            page = json.dumps({"message": told}) if kind == "application/json" else told
            peer.sendall(answer(page.encode(), status, kind))

        with Scripted(Path(folder), *[act] * 9) as engine:
            outcome = run_step(key, body, {"server": engine.url, **CONFIG, **config})
    return outcome, " ".join(said)


def told_again(text: str) -> str:
    """What a server that decodes what it is sent may quote."""
    return " ".join(unpacked(run) for run in RUN.findall(text))


def unpacked(run: str) -> str:
    padded = run.replace("-", "+").replace("_", "/") + "=" * (-len(run) % 4)
    try:
        return binascii.a2b_base64(padded).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def tells(text: str) -> bool:
    """Whether a canary is in a text, in any encoding."""
    forms = [text, unquote(text), text.replace("\\", ""), *(unpacked(run) for run in RUN.findall(text))]
    return any("canary" in form or "c4n4" in form for form in forms)


@pytest.mark.parametrize(("key", "body"), CASES)
@pytest.mark.parametrize(
    ("status", "kind", "policy"),
    [
        ("401 Unauthorized", "application/json", "throwError"),
        ("409 Conflict", "application/json", "rebound"),
        ("502 Bad Gateway", "text/html", "emit"),
    ],
)
def test_fault_8_22_what_a_proxy_quotes_is_masked(
    key: str, body: Any, status: str, kind: str, policy: str
) -> None:
    outcome, said = echoed(key, body, status, kind, errorPolicy=policy, verbose="true")
    assert tells(said), "the engine has to quote the secret, else this shows nothing"
    left = [*outcome.errors, *outcome.rebounds, *outcome.bodies, *outcome.log]
    assert len(left) >= 2
    for thing in left:
        assert not tells(json.dumps(thing, ensure_ascii=False) if not isinstance(thing, str) else thing)


def test_fault_8_22_what_is_wrong_with_a_field_does_not_quote_it() -> None:
    body = {"requestBody": {"UnlockKey": "c4n4ry"}, "rotate": "c4n4ry"}
    outcome = run_step("SwarmUnlock", body, {"server": "unix"})
    assert outcome.errors
    body = {"name": "a", "X_Registry_Auth": {"username": "somebody", "passwrd": CANARY % "mistyped"}}
    outcome = run_step("ImagePush", body, {"server": "unix"})
    assert not tells(json.dumps(outcome.errors) + "".join(outcome.log))
    body = {"fromImage": "a", "X_Registry_Auth": "c4n4ry c4n4ry!"}
    outcome = run_step("ImageCreate", body, {"server": "unix"})
    assert not tells(json.dumps(outcome.errors) + "".join(outcome.log))


def test_fault_8_22_what_succeeded_is_the_flows_own_and_is_not_masked(tmp_path: Path) -> None:
    body = {"Config": {"Env": ["A=canary-of-env"]}}
    with Scripted(tmp_path, lambda peer: peer.sendall(answer(json.dumps(body).encode()))) as engine:
        config = {"server": engine.url, "tlsKeyPassword": "canary-of-env"}
        outcome = run_step("ContainerInspect", {"id": "a"}, {**config, "tlsKeyPassword": ""})
    assert outcome.bodies == [body]


def test_fault_8_22_names_stay_readable() -> None:
    body = {
        "requestBody": {
            "Image": "shop/web:1.4",
            "Env": [
                *(
                    "PORT=8080",
                    "DEBUG=true",
                    "LEVEL=1",
                    "MODE=hunter",
                    "NODE_ENV=production",
                    "TYPE=Container",
                ),
                *(
                    "DATA=/var/lib/data",
                    "APP=storefront",
                    "IMAGE=shop/web:1.4",
                    "KEY=/Wjal/Xutn",
                    "OLD_PASS=docker",
                ),
            ],
            "Labels": {"team": "storefront"},
            "HostConfig": {"Binds": ["/srv/data:/data"]},
        },
        "name": "storefront",
    }
    schema = validator(ROOT / "schemas/ContainerCreate.in.json").schema
    assert set(message_secrets(schema, body)) == {"hunter", "/Wjal/Xutn", "docker"}
    login = {"fromImage": "registry.lab/shop", "X_Registry_Auth": LOGIN}
    schema = validator(ROOT / "schemas/ImageCreate.in.json").schema
    assert set(message_secrets(schema, login)) == {LOGIN["password"]}


def test_fault_8_22_an_error_is_understood_also_where_a_message_holds_common_words(tmp_path: Path) -> None:
    """It read: POST /v1.56/***s/create: The *** name "/***" is already in use by ***."""
    told = 'Conflict. The container name "/storefront" is already in use; see /var/lib/data'
    body = {"requestBody": {"Image": "a", "Env": ["A=container", "B=storefront", "C=/var/lib/data"]}}
    page = answer(json.dumps({"message": told}).encode(), "409 Conflict")
    with Scripted(tmp_path, *[say(page)] * 3) as engine:
        outcome = run_step("ContainerCreate", {**body, "name": "storefront"}, {"server": engine.url})
    (error,) = outcome.errors
    assert told in error["message"]
    assert "***" not in error["message"]


def test_fault_8_22_what_a_trigger_is_told_is_masked() -> None:
    told = base64.b64encode((CANARY % "credential").encode()).decode()
    with tempfile.TemporaryDirectory() as folder:
        page = answer(f"login {told} {CANARY % 'credential'} refused".encode(), "500 Fault", "text/plain")
        # It asks for the id and, by HEAD, for the time of the engine first: the latter has no text.
        pong = b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n"
        acts = [say(answer(b"{}")), say(pong), *[say(page)] * 9]
        with Scripted(Path(folder), *acts) as engine:
            outcome = run_step("objectChanged", {}, {"server": engine.url, **CONFIG})
    (error,) = outcome.errors
    assert "login *** *** refused" in error["message"]
    assert not any(tells(json.dumps(thing)) for thing in [outcome.errors, outcome.log])


@pytest.mark.parametrize("key", sorted(FACTS.operations))
def test_fault_8_22_a_body_of_any_shape_is_read(key: str) -> None:
    schema = validator(ROOT / f"schemas/{key}.in.json").schema
    odd: list[Any] = [None, 1, "x", "[" * 5000, [1, [None]], {"a": {"b": [1, None, {"c": "{"}]}}]
    for value in odd:
        list(message_secrets(schema, value))
        list(message_secrets(schema, dict.fromkeys(schema["properties"], value)))


@pytest.mark.parametrize("field", ["secret", "password", "token", "key"])
def test_fault_8_22_what_the_words_call_secret_is_marked(field: str) -> None:
    """Every input whose description says that it is secret has a mark."""
    unmarked = [
        f"{key}: {path}"
        for key in FACTS.operations
        for path, node in properties(validator(ROOT / f"schemas/{key}.in.json").schema)
        if str(node.get("description", "")).startswith("Secret.") and field in path.lower()
        if not node.get("x-secret") and ".X_Registry" not in f".{path}"
    ]
    assert unmarked == []


def properties(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for name, item in node.get("properties", {}).items():
            yield f"{path}.{name}", item
            yield from properties(item, f"{path}.{name}")
        for below in ("items", "additionalProperties"):
            yield from properties(node.get(below), path)
        for name, item in node.get("definitions", {}).items():
            yield from properties(item, f"#{name}")
