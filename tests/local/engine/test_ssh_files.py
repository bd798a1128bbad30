"""The user's SSH client says where an ssh:// address leads, and with which keys."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.local.engine.ssh_files import with_ssh_files
from lib.local.problems import UsageError
from tests.lab.engine import LabEngine
from tests.lab.skipping import missing
from tests.lab.ssh_server import KeyPair, SshServer
from tests.lab.waiting import wait_until
from tests.local.engine.test_choice import context
from tests.local.running import run

PAIR, HOST = KeyPair.made(), KeyPair.made()
PASSWORD = "canary"


@pytest.fixture(autouse=True)
def client() -> None:
    if shutil.which("ssh") is None:
        missing("ssh is not installed: install the package openssh-client")


class Home:
    """A home with a folder .ssh; `environ` names it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ssh = folder / ".ssh"
        self.ssh.mkdir(mode=0o700)
        self.environ = {"HOME": str(folder), "PATH": os.environ["PATH"]}

    def write(self, name: str, text: str) -> Path:
        file = self.ssh / name
        file.write_text(text)
        file.chmod(0o600)
        return file

    def fields(self, address: str, **more: Any) -> dict[str, Any]:
        return with_ssh_files({"server": "2", "otherServer": address, **more}, self.environ)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def agent(home: Home) -> Iterator[Home]:
    """An agent that has PAIR, and the environment that names it."""
    path = str(home.folder / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: os.path.exists(path), "the agent to listen")
        home.environ["SSH_AUTH_SOCK"] = path
        key = home.write("in-agent", PAIR.text)
        subprocess.run(["ssh-add", "-q", str(key)], env=home.environ, check=True)
        key.unlink()
        yield home
    finally:
        process.terminate()
        process.wait()


def test_a_name_of_the_users_own_leads_to_host_user_port_and_key(home: Home) -> None:
    home.write("shop", PAIR.text)
    home.write(
        "config", "Host shop\n HostName 192.0.2.7\n User deploy\n Port 2222\n IdentityFile ~/.ssh/shop\n"
    )
    home.write("known_hosts", f"[192.0.2.7]:2222 {HOST.line}\n192.0.2.8 {PAIR.line}\n")

    fields = home.fields("ssh://shop/run/docker.sock")

    assert fields == {
        "server": "2",
        "otherServer": "ssh://deploy@192.0.2.7:2222/run/docker.sock",
        "sshKey": PAIR.text,
        "sshHostKey": HOST.line,
    }


def test_what_the_address_and_the_configuration_say_goes_first(home: Home) -> None:
    home.write("config", "Host shop\n HostName 192.0.2.7\n User deploy\n Port 2222\n")
    home.write("id_ed25519", PAIR.text)
    home.write("known_hosts", f"[192.0.2.7]:22 {HOST.line}\n")

    fields = home.fields("ssh://me@shop:22", sshKey="own", sshHostKey="own")

    assert fields["otherServer"] == "ssh://me@192.0.2.7:22"
    assert (fields["sshKey"], fields["sshHostKey"]) == ("own", "own")


def test_hashed_names_of_known_hosts_are_found(home: Home) -> None:
    known = home.write("known_hosts", f"192.0.2.7 {HOST.line}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(known)], check=True, capture_output=True)
    assert "192.0.2.7" not in known.read_text()
    assert home.fields("ssh://me@192.0.2.7")["sshHostKey"] == HOST.line


def test_no_check_is_off_unless_the_client_has_none(home: Home) -> None:
    assert "sshHostKeyCheck" not in home.fields("ssh://me@192.0.2.7")
    home.write("config", "StrictHostKeyChecking no\n")
    assert home.fields("ssh://me@192.0.2.7")["sshHostKeyCheck"] == "skip"
    home.write("known_hosts", f"192.0.2.7 {HOST.line}\n")
    assert "sshHostKeyCheck" not in home.fields("ssh://me@192.0.2.7")


@pytest.mark.parametrize("way", ["ProxyJump gate", "ProxyCommand nc %h %p"])
def test_a_host_behind_another_one_is_refused_with_the_way_round_it(home: Home, way: str) -> None:
    home.write("config", f"Host shop\n {way}\n")
    with pytest.raises(UsageError, match="by way of another host") as caught:
        home.fields("ssh://shop")
    assert "ssh -N -L" in str(caught.value.hint)


def test_a_key_without_a_password_goes_before_one_that_has_one(home: Home) -> None:
    home.write("id_rsa", KeyPair.made().locked(PASSWORD))
    home.write("id_ed25519", PAIR.text)
    assert home.fields("ssh://me@shop")["sshKey"] == PAIR.text


def test_an_only_key_with_a_password_is_given_for_the_step_to_ask(home: Home) -> None:
    locked = KeyPair.made().locked(PASSWORD)
    home.write("id_ed25519", locked)
    assert home.fields("ssh://me@shop")["sshKey"] == locked


def test_the_agent_goes_before_the_usual_files_but_not_before_one_that_is_named(agent: Home) -> None:
    agent.write("id_ed25519", KeyPair.made().text)
    assert "sshKey" not in agent.fields("ssh://me@shop")
    named = KeyPair.made().text
    agent.write("named", named)
    agent.write("config", "IdentityFile ~/.ssh/named\n")
    assert agent.fields("ssh://me@shop")["sshKey"] == named


@pytest.mark.parametrize(
    "address",
    ["unix:///x", "tcp://e:2375", "ssh://", "ssh://[", "ssh://me:pw@e", "ssh://-oProxyCommand=x", ""],
)
def test_other_addresses_are_left_alone(home: Home, address: str) -> None:
    given = {"server": "2", "otherServer": address}
    assert with_ssh_files(given, home.environ) == given


@pytest.mark.engine
def test_verify_goes_through_the_clients_files(
    home: Home, ssh_server: SshServer, engine_lab: LabEngine
) -> None:
    home.write("shop", ssh_server.key.text)
    lines = ["Host shop", "HostName 127.0.0.1", f"Port {ssh_server.port}", f"User {ssh_server.user}"]
    home.write("config", "\n ".join([*lines, "IdentityFile ~/.ssh/shop"]) + "\n")
    home.write("known_hosts", f"[127.0.0.1]:{ssh_server.port} {ssh_server.host_key}\n")
    folder = home.folder / "docker"
    folder.mkdir()
    named = context(folder, "shop", {"Host": f"ssh://shop{engine_lab.socket}"})

    ended = run("verify", "--json", component=None, **{**home.environ, **named})

    assert ended.code == 0, ended.err
    told = json.loads(ended.out.splitlines()[-1])
    assert told["engine"] == f"ssh://{ssh_server.user}@127.0.0.1:{ssh_server.port}{engine_lab.socket}"
    assert told["engineFrom"] == "the context shop (DOCKER_CONTEXT)"


@pytest.mark.engine
@pytest.mark.parametrize("right", [True, False])
def test_the_agents_keys_log_in(
    agent: Home, ssh_server: SshServer, engine_lab: LabEngine, right: bool
) -> None:
    agent.write("known_hosts", f"[127.0.0.1]:{ssh_server.port} {ssh_server.host_key}\n")
    if right:
        key = agent.write("right", ssh_server.key.text)
        subprocess.run(["ssh-add", "-q", str(key)], env=agent.environ, check=True)
        key.unlink()
    address = f"ssh://{ssh_server.user}@127.0.0.1:{ssh_server.port}{engine_lab.socket}"

    ended = run("verify", "--engine", address, "--json", component=None, **agent.environ)

    told = json.loads(ended.out.splitlines()[-1])
    assert told["verified"] is right
    if not right:
        assert "with the keys of the SSH agent" in told["reason"]


@pytest.mark.engine
def test_an_action_of_a_flow_goes_over_ssh(home: Home, ssh_server: SshServer, engine_lab: LabEngine) -> None:
    key = home.write("key", ssh_server.key.text)
    config = {**ssh_server.credential(engine_lab.socket), "sshKey": str(key)}

    ended = run(
        "action", "SystemVersion", "--config", json.dumps(config), "--json", component=None, **home.environ
    )

    assert ended.code == 0, ended.err
    assert engine_lab.version in ended.out
