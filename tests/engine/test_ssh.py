"""The settings of SSH: which an address needs, and which it cannot use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lib.credentials import new_engine
from lib.engine import Endpoint
from lib.engine.errors import BadInput
from lib.engine.ssh import LONGEST_HOST_KEYS
from tests.lab.ssh_server import KeyPair
from tests.lab.waiting import DEADLINE

ROOT = Path(__file__).parents[2]
PAIR = KeyPair.made()
RIGHT = {"sshKey": PAIR.text, "sshHostKey": PAIR.line}


@pytest.fixture(autouse=True)
def no_agent() -> None:
    os.environ.pop("SSH_AUTH_SOCK", None)


def opened(server: str, **changes: Any) -> Endpoint:
    with new_engine({"server": server, **RIGHT, **changes}) as engine:
        return engine.endpoint


@pytest.mark.parametrize(
    ("server", "shown"),
    [
        ("ssh://me@engine", "ssh://me@engine:22/var/run/docker.sock"),
        ("ssh://me@engine/", "ssh://me@engine:22/var/run/docker.sock"),
        ("ssh://me@engine:2222/run/user/1000/docker.sock", "ssh://me@engine:2222/run/user/1000/docker.sock"),
        ("ssh://me@[::1]:2222/x%20y", "ssh://me@[::1]:2222/x y"),
        ("SSH://m%65@engine", "ssh://me@engine:22/var/run/docker.sock"),
    ],
)
def test_an_address_names_user_host_and_socket(server: str, shown: str) -> None:
    endpoint = opened(server)
    assert str(endpoint) == shown
    assert endpoint.user_info is None


def test_the_user_may_have_a_field_of_its_own() -> None:
    assert str(opened("ssh://engine", sshUser="me")) == "ssh://me@engine:22/var/run/docker.sock"
    assert str(opened("ssh://me@engine", sshUser="me")) == "ssh://me@engine:22/var/run/docker.sock"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"server": "ssh://engine"}, "sshUser"),
        ({"sshUser": "you"}, "sshUser"),
        ({"server": "ssh://engine", "sshUser": "a\nb"}, "sshUser"),
        ({"server": "ssh://engine", "sshUser": "a b"}, "sshUser"),
        ({"server": "ssh://engine", "sshUser": "u" * 300}, "sshUser"),
        ({"server": "ssh://me:canary@engine"}, "server"),
        ({"server": f"ssh://me@engine/{'x' * 200}"}, "server"),
        ({"server": "ssh://me@"}, "server"),
        ({"server": "ssh://me@engine:0"}, "server"),
        ({"server": "ssh://me@engine?x=y"}, "server"),
        ({"server": "2", "otherServer": "ssh://me:canary@engine"}, "otherServer"),
        ({"sshKey": ""}, "sshKey"),
        ({"sshKey": "~/.ssh/id_ed25519"}, "sshKey"),
        ({"sshKey": PAIR.line}, "sshKey"),
        ({"sshKey": PAIR.locked("canary")}, "sshKeyPassword"),
        ({"sshKey": PAIR.locked("canary"), "sshKeyPassword": "no"}, "sshKeyPassword"),
        ({"sshHostKey": ""}, "sshHostKey"),
        ({"sshHostKey": PAIR.text}, "sshHostKey"),
        ({"sshHostKey": "x" * (LONGEST_HOST_KEYS + 1)}, "sshHostKey"),
        ({"sshHostKey": f"other.example.org {PAIR.line}"}, "sshHostKey"),
        ({"sshHostKeyCheck": "sometimes"}, "sshHostKeyCheck"),
        ({"tlsServerName": "engine"}, "tlsServerName"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        new_engine({"server": "ssh://me@engine", **RIGHT, **changes})
    assert caught.value.field == field
    assert field in caught.value.message
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("server", ["unix", "tcp://engine:2375", "https://engine:2376"])
@pytest.mark.parametrize(
    "given",
    [*({name: value} for name, value in RIGHT.items()), {"sshHostKeyCheck": "skip"}, {"sshUser": "me"}],
)
def test_an_address_without_ssh_has_no_use_for_its_settings(server: str, given: dict[str, str]) -> None:
    with pytest.raises(BadInput) as caught:
        new_engine({"server": server, **given})
    assert [caught.value.field] == list(given)


def test_the_default_check_is_no_setting_of_ssh() -> None:
    assert new_engine({"server": "unix", "sshHostKeyCheck": "verify", "sshKey": ""}).endpoint.ssh is None


def test_keys_are_in_no_representation() -> None:
    with new_engine(
        {"server": "ssh://me@engine", **RIGHT, "sshKey": PAIR.locked("canary"), "sshKeyPassword": "canary"}
    ) as engine:
        shown = repr(engine.endpoint) + str(engine.endpoint) + repr(vars(engine.sender.adapter))
    assert "canary" not in shown
    assert "PRIVATE KEY" not in shown


LOOK = """
import sys
from lib.credentials import new_engine
import lib.local.cli, lib.sailor.run, verify_credentials, actions.containers, triggers.engine_events
for server in ("unix", "tcp://127.0.0.1:1", "https://127.0.0.1:1"):
    new_engine({"server": server}).close()
print(sorted({name.partition(".")[0] for name in sys.modules} & {"paramiko", "nacl", "bcrypt", "invoke"}))
"""


def test_the_library_is_loaded_for_ssh_only() -> None:
    """It takes a third of a second, and start-up time is a feature."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    assert done.stdout == "[]\n", done.stderr
