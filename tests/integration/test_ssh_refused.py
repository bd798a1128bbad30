"""What is wrong on the way to an engine behind SSH is told: host, host key, user, key, socket; no secret with it."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from lib.credentials import new_engine
from lib.engine.errors import EngineError, SshRefused, Unreachable
from tests.integration.test_verify_credentials import Silent
from tests.lab.engine import LabEngine
from tests.lab.ports import HeldPort
from tests.lab.ssh_server import KeyPair, SshServer
from tests.lab.waiting import DEADLINE
from verify_credentials import verify

RSA = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7kW8Zr0sVJTgWnM5fTYcmH0hJbVdC5mBzFzkKJ1f0q1sZHqFQ4e2v0l1vJ8h4uB0O"
    "0bq2s7qk5O2xq9s6hUQ5wJp4m8c0u9YH9l9v7l1fK3q9m0b7Wj3Xo2QmQxXv1bT0oKf2q7u0H9Q8s4nYJx5o0kTzJm6gq2v8c1wqQ3e1Zw=="
)
PASSWORD = "a password that nobody may read"


@contextmanager
def server_with(**settings: Any) -> Iterator[SshServer]:
    server = SshServer(**settings)
    try:
        yield server
    finally:
        server.close()


def refused(config: Any) -> str:
    """Why the credential is refused, as the platform is told, without the labels of fields."""
    facts = verify(Silent(), config)  # type: ignore[arg-type]
    assert facts["verified"] is False
    return re.sub(r' \("[^"]*"\)', "", str(facts["reason"]))


@pytest.mark.engine
@pytest.mark.parametrize("key", ["text", "one line", "encrypted"])
def test_a_right_credential_is_verified(ssh_server: SshServer, engine_lab: LabEngine, key: str) -> None:
    given = {
        "text": {},
        "one line": {"sshKey": ssh_server.key.text.replace("\n", " ")},
        "encrypted": {"sshKey": ssh_server.key.locked(PASSWORD), "sshKeyPassword": PASSWORD},
    }[key]
    facts = verify(Silent(), ssh_server.credential(engine_lab.socket, **given))  # type: ignore[arg-type]
    assert facts["verified"], facts
    assert facts["engine"] == f"ssh://{ssh_server.user}@127.0.0.1:{ssh_server.port}{engine_lab.socket}"
    assert facts["apiVersion"] == engine_lab.api


@pytest.mark.engine
def test_any_server_will_do_where_the_check_is_off(ssh_server: SshServer, engine_lab: LabEngine) -> None:
    config = ssh_server.credential(engine_lab.socket, sshHostKey=None, sshHostKeyCheck="skip")
    assert verify(Silent(), config)["verified"]  # type: ignore[arg-type]


@pytest.mark.parametrize("other", ["no known key", "another key", "another kind"])
def test_another_host_key_is_told_with_both(ssh_server: SshServer, other: str) -> None:
    if other == "no known key":
        assert "sshHostKey is missing" in refused(ssh_server.credential("/x", sshHostKey=None))
        return
    line = KeyPair.made().line if other == "another key" else RSA
    before = ssh_server.logins
    told = refused(ssh_server.credential("/x", sshHostKey=line))
    assert "is not the one in sshHostKey: the server shows ssh-ed25519 SHA256:" in told
    assert f"known are {line.split()[0]} SHA256:" in told
    assert ssh_server.logins == before


@pytest.mark.parametrize("who", ["user", "key"])
def test_a_refused_login_names_user_and_key(ssh_server: SshServer, who: str) -> None:
    other = {"sshKey": KeyPair.made().text}
    if who == "user":
        other = {"server": f"ssh://no-such-user@127.0.0.1:{ssh_server.port}"}
    told = refused(ssh_server.credential("/x", **other))
    name = "no-such-user" if who == "user" else ssh_server.user
    assert f"refuses the user '{name}' with the key in sshKey" in told
    assert "sshUser, and sshKey: its public part must stand in the user's ~/.ssh/authorized_keys" in told


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (("PubkeyAuthentication no", "PasswordAuthentication yes"), "it takes 'password', no keys"),
        (
            ("AuthenticationMethods publickey,password", "PasswordAuthentication yes"),
            "it wants 'password' as well",
        ),
        (("MaxAuthTries 1",), "during the login of"),
    ],
    ids=["no keys", "a second factor", "one try"],
)
def test_a_server_that_wants_something_else_is_told(settings: Sequence[str], told: str) -> None:
    with server_with(settings=settings) as server:
        key = {"sshKey": KeyPair.made().text} if "MaxAuthTries 1" in settings else {}
        found = refused(server.credential("/x", **key))
    assert told in found
    assert "sshKey" in found


def test_methods_that_nobody_has_in_common_are_told() -> None:
    with server_with(settings=["Ciphers chacha20-poly1305@openssh.com"]) as server:
        assert "no method in common" in refused(server.credential("/x"))


@pytest.mark.parametrize("password", [None, "another password"])
def test_a_key_whose_password_is_wrong_is_told(ssh_server: SshServer, password: str | None) -> None:
    changes = {"sshKey": ssh_server.key.locked(PASSWORD), "sshKeyPassword": password}
    told = refused(ssh_server.credential("/x", **changes))
    assert (
        "sshKeyPassword is missing" if password is None else "sshKeyPassword does not open sshKey"
    ) in told


@pytest.mark.parametrize(
    ("forwarding", "docker", "told"),
    [
        (True, True, "docker says: failed to open the raw stream connection: dial unix /no/such.sock"),
        (False, True, "docker says: failed to open the raw stream connection: dial unix /no/such.sock"),
        (False, False, "and has no program docker"),
    ],
)
def test_a_socket_that_is_not_there_is_told(forwarding: bool, docker: bool, told: str) -> None:
    with server_with(forwarding=forwarding, docker=docker) as server:
        found = refused(server.credential("/no/such.sock"))
    assert "does not forward the socket /no/such.sock" in found
    assert told in found
    assert 'the path behind the host in otherServer ("Engine address"' in found


def test_a_server_that_only_forwards_and_does_not_find_the_socket() -> None:
    with server_with(settings=["ForceCommand /bin/false"]) as server:
        found = refused(server.credential("/no/such.sock"))
    assert "docker says: nothing" in found


def test_a_program_that_says_nothing_ends_in_time(closed_ssh_server: SshServer, tmp_path: Any) -> None:
    """Somebody listens at the socket, but it is no engine."""
    path = str(tmp_path / "silent.sock")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(path)
        silent.listen()
        config = closed_ssh_server.credential(path)
        with new_engine(config) as engine, pytest.raises(Unreachable, match="in time"):
            engine.sender.adapter.socket(0.5)


def test_a_host_where_nobody_listens_is_told(ssh_server: SshServer) -> None:
    with HeldPort() as port:
        told = refused(ssh_server.credential("/x", server=f"ssh://me@127.0.0.1:{port.number}"))
    assert "No engine answers at ssh://me@127.0.0.1" in told
    assert "Check host and port in otherServer" in told


def test_calls_that_wait_for_one_login_share_its_failure(ssh_server: SshServer) -> None:
    """Else each of many would try, one after the other."""
    failed: list[EngineError] = []
    with new_engine(ssh_server.credential("/x", sshKey=KeyPair.made().text)) as engine:

        def call() -> None:
            with pytest.raises(SshRefused) as caught:
                engine.sender.adapter.socket(5)
            failed.append(caught.value)

        callers = [threading.Thread(target=call) for _ in range(20)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(DEADLINE)
    assert len({id(error) for error in failed}) == 20


def test_no_secret_is_told(
    ssh_server: SshServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    locked, other = ssh_server.key.locked(PASSWORD), KeyPair.made().text
    keys = (locked, other, ssh_server.key.text)
    secrets = [line for key in keys for line in key.splitlines() if not line.startswith("---")]
    with caplog.at_level(logging.DEBUG):
        wrong: list[dict[str, str]] = [
            {"sshKey": locked, "sshKeyPassword": f"{PASSWORD}!"},
            {"sshKey": locked, "sshKeyPassword": PASSWORD},
            {"sshKey": ssh_server.key.text[:-90]},
            {"sshHostKey": ssh_server.key.text},
            {"sshKey": other},
        ]
        told = [refused(ssh_server.credential("/no/such.sock", **changes)) for changes in wrong]
    spoken = "\n".join([*told, caplog.text, *capfd.readouterr()])
    assert PASSWORD not in spoken
    assert [secret for secret in secrets if secret in spoken] == []
    assert "BEGIN OPENSSH" not in spoken


def test_a_user_who_may_not_use_the_socket_is_told() -> None:
    """What Docker's own program says then; the tests' user may use everything."""
    with server_with(forwarding=False) as server:
        program = server.folder / "bin" / "docker"
        program.write_text(
            "#!/bin/sh\necho 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1\n"
        )
        program.chmod(0o755)
        found = refused(server.credential("/x.sock"))
    assert "docker says: permission denied while trying to connect" in found
    assert f"Check that the user '{server.user}' may use the socket: the group docker" in found


@pytest.mark.parametrize("where", ["", " >&2"], ids=["output", "errors"])
def test_a_program_that_never_stops_talking_is_left(where: str) -> None:
    with server_with(forwarding=False) as server:
        program = server.folder / "bin" / "docker"
        program.write_text(f"#!/bin/sh\nwhile echo no engine{where}; do :; done\n")
        program.chmod(0o755)
        config = server.credential("/x.sock")
        with new_engine(config) as engine, pytest.raises(Unreachable, match=r"in time|docker says"):
            engine.sender.adapter.socket(0.5)
