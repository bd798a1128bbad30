"""The logins of the docker command line: written into config.json, or told by real helper programs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lib.engine.request.registry_auth import Registries
from lib.local.engine.logins import LONGEST, logins
from tests.local.running import run

SERVER = "registry.example.org"
TOLD = '{"ServerURL": "x", "Username": "me", "Secret": "hush"}'


def environment(folder: Path, **config: Any) -> dict[str, str]:
    (folder / "config.json").write_text(json.dumps(config))
    return {"DOCKER_CONFIG": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}


def helper(folder: Path, script: str, name: str = "lab") -> None:
    """A credential helper, which is a program on PATH."""
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def asked(environ: dict[str, str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    notes: list[str] = []
    return logins(environ, notes.append), notes


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert asked({"DOCKER_CONFIG": str(tmp_path)}) == ({}, [])


def test_logins_that_are_written_out_are_those_of_the_credential(tmp_path: Path) -> None:
    environ = environment(tmp_path, auths={SERVER: {"auth": "bWU6aHVzaA=="}, "empty.example.org": {}})

    found, notes = asked(environ)

    assert notes == []
    login = Registries.parse(found).login_for(f"{SERVER}/app")
    assert login == {"username": "me", "password": "hush", "serveraddress": SERVER}


def test_the_store_is_asked_for_servers_without_a_login_of_their_own(tmp_path: Path) -> None:
    helper(tmp_path, f'read -r server; echo "$server" >> "{tmp_path}/asked"; echo \'{TOLD}\'')
    auths = {SERVER: {}, "written.example.org": {"auth": "bWU6aHVzaA=="}}

    found, notes = asked(environment(tmp_path, auths=auths, credsStore="lab"))

    assert found[SERVER] == {"username": "me", "password": "hush"}
    assert (sorted(found), notes) == ([SERVER, "written.example.org"], [])
    assert (tmp_path / "asked").read_text() == f"{SERVER}\n"


def test_the_helper_of_a_server_goes_before_the_store_and_what_is_written(tmp_path: Path) -> None:
    helper(tmp_path, "exit 1", "store")
    helper(tmp_path, 'echo \'{"Username": "<token>", "Secret": "ticket"}\'', "own")
    auths = {SERVER: {"auth": "bWU6aHVzaA=="}}
    environ = environment(tmp_path, auths=auths, credsStore="store", credHelpers={SERVER: "own"})

    assert asked(environ) == ({SERVER: {"identitytoken": "ticket"}}, [])


def test_a_helper_may_answer_without_reading_which_server_it_is(tmp_path: Path) -> None:
    helper(tmp_path, f"exec 0<&-; echo '{TOLD}'")
    server = (
        "x" * 200_000
    )  # more than a pipe holds: it cannot be written before the helper has closed its end

    found, notes = asked(environment(tmp_path, credHelpers={server: "lab"}))

    assert (found, notes) == ({server: {"username": "me", "password": "hush"}}, [])


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        f"echo '{TOLD}'; exit 1",
        "echo 'credentials not found in native keychain'; exit 1",
        "echo '[]'",
        'echo \'{"Username": "me"}\'',
        'echo \'{"Username": 5, "Secret": "hush"}\'',
        'echo \'{"Username": "me", "Secret": ""}\'',
        f"head -c {LONGEST + 10} /dev/zero",
        "cat /dev/zero",
    ],
)
def test_a_helper_without_an_answer_leaves_the_server_without_a_login(tmp_path: Path, script: str) -> None:
    helper(tmp_path, script)

    found, notes = asked(environment(tmp_path, credHelpers={SERVER: "lab"}))

    assert (found, notes) == ({}, [f"docker-credential-lab has no login to {SERVER}"])


def test_a_helper_that_is_not_there_is_told(tmp_path: Path) -> None:
    found, (note,) = asked(environment(tmp_path, credHelpers={SERVER: "absent"}))

    assert found == {}
    assert note == f"docker-credential-absent cannot be run: No such file or directory; no login to {SERVER}"


@pytest.mark.parametrize("name", ["../evil", "a b", "-x", "a" * 65, "x\n"])
def test_a_name_that_is_none_is_not_run(tmp_path: Path, name: str) -> None:
    found, (note,) = asked(environment(tmp_path, credHelpers={SERVER: name}))

    assert found == {}
    assert "cannot be one" in note


@pytest.mark.parametrize(
    "config", [{"auths": []}, {"auths": {SERVER: "x"}}, {"credHelpers": [1]}, {"credsStore": 5}]
)
def test_odd_entries_give_no_login(tmp_path: Path, config: dict[str, Any]) -> None:
    assert asked(environment(tmp_path, **config)) == ({}, [])


def test_a_component_without_registries_in_its_credential_gets_no_login(tmp_path: Path) -> None:
    environ = environment(tmp_path, auths={SERVER: {"auth": "bWU6aHVzaA=="}})

    ended = run("action", "configured", "--json", **environ)

    assert ended.code == 0, ended.err
    assert "bWU6aHVzaA" not in ended.out + ended.err
