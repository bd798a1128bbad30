"""RunCommand: commands in containers that run, on two engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.jobs.commands import KEY, UNTIL_GO, alive, go, running, sh
from tests.jobs.engines import own
from tests.jobs.places import Place
from tests.lab.at_once import beside
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import SocketProxy
from tests.lab.waiting import wait_until

__all__ = ["own"]
pytestmark = pytest.mark.engine
READS = "(GET|HEAD) .*"


@pytest.fixture(scope="module")
def web(own: LabEngine) -> Iterator[str]:
    with alive(own, Env=["A=of the container"]) as name:
        yield name


@pytest.fixture
def place(own: LabEngine, tmp_path: Path) -> Place:
    return Place(own, tmp_path)


def test_a_command_succeeds(place: Place, web: str) -> None:
    body = place.do(KEY, sh(web, "echo out; echo err >&2; exit 0"))
    assert (body["exitCode"], body["ok"], body["stdout"], body["stderr"]) == (0, True, "out\n", "err\n")
    assert sorted(body["text"].splitlines()) == ["err", "out"]
    assert (body["reached"], body["repeat"], body["outputLost"]) == (True, False, False)
    assert body["container"]["name"] == web
    assert body["plan"] == [{"action": "run", "kind": "command", "name": web}]
    assert body["changed"]
    assert "truncated" not in body


def test_its_settings_are_its_own(place: Place, web: str) -> None:
    body = place.do(
        KEY, sh(web, "id -u; pwd; echo $A $B $C", env={"B": 5, "C": True}, user=7, workingDir="/tmp")
    )
    assert body["stdout"] == "7\n/tmp\nof the container 5 true\n"


def test_a_command_as_text_meets_no_shell(place: Place, web: str) -> None:
    body = place.do(KEY, {"target": web, "command": "echo 'a  b' $HOME | cat"})
    assert body["stdout"] == "a  b $HOME | cat\n"
    assert "no shell reads | $NAME here" in body["warnings"][0]


def test_input_is_heard_whole(place: Place, web: str) -> None:
    assert place.do(KEY, sh(web, "cat", stdinText="grüße\n"))["stdout"] == "grüße\n"
    assert place.do(KEY, sh(web, "cat; echo .", stdinText=""))["stdout"] == ".\n"
    data = bytes(range(256)) * 20_000
    body = place.do(KEY, sh(web, "sleep 0.3; wc -c; cat", stdinAttachment="data"), {"data": data})
    assert body["stdout"] == f"{len(data)}\n"
    body = place.do(
        KEY, sh(web, "exec 0<&-; echo enough", stdinAttachment="data"), {"data": bytes(3_000_000)}
    )
    assert (body["stdout"], body["exitCode"]) == ("enough\n", 0)


def test_the_end_of_a_long_output_is_kept(place: Place, web: str) -> None:
    body = place.do(KEY, sh(web, "seq 1 100000; echo last >&2"), maxBytes="1000")
    assert body["truncated"] == "maxBytes"
    assert body["stdout"].endswith("99999\n100000\n")
    assert body["stderr"] == "last\n"


def test_a_command_that_fails_tells_its_last_lines(place: Place, web: str) -> None:
    text = place.fails(KEY, sh(web, "echo working; echo broken >&2; exit 3"), "BadExit")
    assert f"The command in {web} ended with code 3. Its last lines: " in text
    assert "broken" in text
    (body,) = place.step(KEY, sh(web, "echo x >&2; exit 3"), errorPolicy="emit").bodies
    assert (body["error"]["exitCode"], body["error"]["stderr"]) == (3, "x\n")


def test_other_codes_can_be_good_or_be_emitted(place: Place, web: str) -> None:
    assert place.do(KEY, sh(web, "exit 3", okCodes=[0, 3]))["ok"]
    assert place.do(KEY, sh(web, "exit 3", okCodes="[3]"))["ok"]
    body = place.do(KEY, sh(web, "echo x; exit 3"), badExit="emit")
    assert (body["exitCode"], body["ok"], body["stdout"]) == (3, False, "x\n")


def test_trap_16_a_command_that_cannot_start_says_why(place: Place, web: str) -> None:
    """The engine answers 200 and writes the reason to stdout; its code is 126 or 127."""
    for settings in ({}, {"badExit": "emit"}):
        text = place.fails(
            KEY, {"target": web, "command": ["/nope"], "okCodes": [126, 127]}, "NotStarted", **settings
        )
        assert text.startswith(f"The command was not started in {web}: OCI runtime exec failed")
        assert "/nope" in text


def test_trap_16_a_program_may_end_with_such_a_code_itself(place: Place, web: str) -> None:
    for code in (126, 127):
        assert place.do(KEY, sh(web, f"echo mine; exit {code}"), badExit="emit")["stdout"] == "mine\n"


def test_trap_16_a_child_in_the_background_holds_nothing_up(place: Place, web: str) -> None:
    body = place.do(KEY, sh(web, "(until [ -e /never ]; do sleep 1; done) & echo begun"))
    assert (body["stdout"], body["exitCode"]) == ("begun\n", 0)


@pytest.mark.parametrize("state", ["created", "exited", "paused"])
def test_a_container_that_does_not_run_fails(place: Place, state: str) -> None:
    name = f"state-{random_id()[:8]}"
    wire = place.engine.wire
    place.engine.create(("true",) if state == "exited" else ("sleep", "600"), name=name)
    try:
        if state != "created":
            wire.do("POST", f"/containers/{name}/start")
        if state == "exited":
            place.engine.wait(name)
        if state == "paused":
            wire.do("POST", f"/containers/{name}/pause")
        text = place.fails(KEY, sh(name, "true"), "Conflict")
        assert f"{name} is {state}" in text
        assert wire.do("GET", f"/containers/{name}/json").json()["ExecIDs"] is None
    finally:
        place.engine.remove(name)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"target": "nowhere"}, "NotFound"),
        ({"targets": {"names": ["x"]}}, "BadInput"),
        ({"target": None}, "BadInput"),
        ({"command": ""}, "BadInput"),
        ({"command": "echo 'a"}, "BadInput"),
        ({"stdinText": "a", "stdinAttachment": "b"}, "BadInput"),
        ({"stdinAttachment": "none"}, "BadInput"),
        ({"env": "[1]"}, "BadInput"),
        ({"parallel": 11}, "BadInput"),
        ({"okCodes": '["x"]'}, "BadInput"),
        ({"okCodes": "5"}, "BadInput"),
        ({"okCodes": "[true]"}, "BadInput"),
        ({"okCodes": [1.5]}, "BadInput"),
        ({"target": None, "targets": '{"names": ["*"], "lables": ["a"]}'}, "BadInput"),
        ({"target": None, "targets": "[]"}, "BadInput"),
        ({"env": {"": "x"}}, "NotStarted"),
        ({"workingDir": "/nowhere"}, "NotStarted"),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_a_wrong_input_fails(place: Place, web: str, fields: dict[str, Any], name: str) -> None:
    place.fails(KEY, sh(web, "true") | fields, name)


def test_a_user_that_is_not_there_fails(place: Place, web: str) -> None:
    """20.10 refuses to start the command, 28.5 to prepare it."""
    assert "unable to find user nobody" in place.fails(KEY, sh(web, "true", user="nobody"), "NotStarted")


def test_it_succeeds_in_all_that_match(place: Place) -> None:
    own = place.engine
    with ExitStack() as ends:
        names = sorted(
            ends.enter_context(alive(own, f"all-{number}", Labels={"all": "1"})) for number in range(3)
        )
        wish = {"command": "hostname", "stdinText": "x"}
        for targets, parallel in ({"labels": ["all=1"]}, 1), ('{"labels": ["all=1"]}', 3):
            body = place.do(KEY, wish | {"targets": targets, "parallel": parallel})
            assert [one["container"]["name"] for one in body["results"]] == names
            hosts = [
                own.wire.do("GET", f"/containers/{name}/json").json()["Config"]["Hostname"] for name in names
            ]
            assert [one["stdout"] for one in body["results"]] == [f"{host}\n" for host in hosts]
            assert (body["failed"], body["skipped"]) == (0, 0)
            assert sorted(one["name"] for one in body["plan"]) == names


def test_it_runs_in_as_many_as_are_allowed_at_once(place: Place) -> None:
    """Each one waits for the others by a file that the test writes once all have begun."""
    own = place.engine
    with ExitStack() as ends:
        names = [
            ends.enter_context(alive(own, f"once-{number}", Labels={"once": "1"})) for number in range(2)
        ]
        wish = sh("", f"{UNTIL_GO}; echo gone", parallel=2)
        wish |= {"targets": {"labels": ["once"]}, "target": None}
        commands = beside(place.do, KEY, wish)

        wait_until(lambda: all(running(own, name) for name in names), "both commands to run")
        for name in names:
            go(place, name)
        assert [one["stdout"] for one in commands.result()["results"]] == ["gone\n", "gone\n"]


def test_one_of_several_fails(place: Place) -> None:
    own = place.engine
    with (
        alive(own, "some-1", Env=["N=0"]),
        alive(own, "some-2", Env=["N=4"]),
        alive(own, "some-3", Env=["N=0"]),
    ):
        own.wire.do("POST", "/containers/some-3/pause")
        wish: dict[str, Any] = {"targets": {"names": ["some-*"]}, "command": ["sh", "-c", "echo $N; exit $N"]}
        text = place.fails(KEY, wish, "BadExit")
        assert text.startswith("The command failed in 2 of 3 containers: ")
        assert "some-2: code 4" in text
        assert "some-3: some-3 is paused" in text
        body = place.do(KEY, wish, badExit="emit")
        assert [one.get("exitCode") for one in body["results"]] == [0, 4, None]
        assert [one["ok"] for one in body["results"]] == [True, False, False]
        assert body["results"][2]["error"]["name"] == "Conflict"
        assert body["failed"] == 2
        own.wire.do("POST", "/containers/some-3/unpause")
        wish = {**wish, "command": ["sh", "-c", "[ $N = 0 ]"], "stopAtFirstFailure": True}
        body = place.do(KEY, wish, badExit="emit")
        assert [one["exitCode"] for one in body["results"]] == [0, 1]
        assert (body["failed"], body["skipped"]) == (1, 1)


def test_none_that_matches_is_a_warning(place: Place) -> None:
    body = place.do(KEY, {"targets": {"names": ["nothing-*"]}, "command": "true"})
    assert (body["results"], body["failed"], body["changed"]) == ([], 0, False)
    assert body["warnings"] == ["No container matches"]


def test_the_dry_run_is_the_plan_of_the_real_run(place: Place, web: str) -> None:
    wishes: list[dict[str, Any]] = [sh(web, "true"), {"targets": {"names": [web]}, "command": "true"}]
    for wish in wishes:
        with SocketProxy(place.engine.socket, READS) as proxy:
            dry = place.do(KEY, wish, dryRun=True, otherServer=proxy.url)
            assert not proxy.refused
        real = place.do(KEY, wish)
        assert (dry["plan"], dry["dryRun"], dry["changed"]) == (real["plan"], True, False)
        assert "exitCode" not in dry


def test_a_read_only_credential_plans_and_does_not_run(place: Place, web: str) -> None:
    assert place.do(KEY, sh(web, "true"), dryRun=True, accessMode="readOnly")["plan"]
    with SocketProxy(place.engine.socket, ".*") as proxy:
        place.fails(KEY, sh(web, "true"), "ReadOnly", accessMode="readOnly", otherServer=proxy.url)
        assert [call for call in proxy.calls if not call.startswith(("GET", "HEAD"))] == []


def test_a_command_that_ends_in_time_is_not_ended(place: Place, web: str) -> None:
    body = place.do(KEY, sh(web, "exit 0"), killAfter="60")
    assert (body["reached"], body["warnings"]) == (True, [])


def test_the_dry_run_fails_where_the_real_run_would(place: Place) -> None:
    with alive(place.engine, "dry-1"), alive(place.engine, "dry-2"):
        place.engine.wire.do("POST", "/containers/dry-2/pause")
        assert "is paused" in place.fails(KEY, sh("dry-2", "true"), "Conflict", dryRun=True)
        body = place.do(KEY, {"targets": {"names": ["dry-*"]}, "command": "true"}, dryRun=True)
        assert [one["name"] for one in body["plan"]] == ["dry-1"]
        assert [one.get("error", {}).get("name") for one in body["results"]] == [None, "Conflict"]


def test_secrets_stand_in_no_error(place: Place, web: str) -> None:
    wish = sh(
        web, "echo $PASSWORD; cat; exit 3", env={"PASSWORD": "hunter-22"}, stdinText="very-secret-input"
    )
    outcome = place.step(KEY, wish, errorPolicy="throwError")
    whole = json.dumps([outcome.errors, outcome.log])
    assert "BadExit" in whole
    assert "hunter-22" not in whole
    assert "very-secret-input" not in whole
    outcome = place.step(KEY, sh(web, "true", env={"": "hunter-22"}), errorPolicy="throwError")
    whole = json.dumps([outcome.errors, outcome.log])
    assert "NotStarted" in whole
    assert "hunter-22" not in whole


def test_a_container_that_is_killed_meanwhile_fails(place: Place) -> None:
    """The engine tells the command's code for a moment at most: 137, or it has forgotten the command."""
    wire = place.engine.wire
    with alive(place.engine) as name:

        def kill() -> None:
            wait_until(lambda: running(place.engine, name), "the command to run")
            wire.do("POST", f"/containers/{name}/kill")

        killing = beside(kill)
        (error,) = place.step(KEY, sh(name, "echo begun; exec sleep 600"), errorPolicy="throwError").errors
        killing.result()
        assert error["name"] in ("BadExit", "NotSettled"), error
        assert ("code 137" in error["message"]) == (error["name"] == "BadExit")
