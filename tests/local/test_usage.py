"""What the command line refuses, and what list and describe show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.running import COMPONENT, environment, run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("action", "ech"), "no trigger or action ech. Did you mean echo?"),
        (("action", "count"), "count is not an action. Run it with: trigger count"),
        (("trigger", "echo"), "echo is not a trigger. Run it with: action echo"),
        (("action", "echo", "--body", "{x"), "--body is not valid JSON: Expecting property name"),
        (("action", "echo", "--body", "@/nowhere"), "--body /nowhere cannot be read: No such file"),
        (("action", "echo", "--config", "[1]"), "--config must be a JSON object, not an array"),
        (("action", "echo", "--attachment", "x"), "NAME=FILE"),
        (("action", "echo", "--attachment", "x=/nowhere"), "there is no file /nowhere"),
        (("action", "echo", "--data", "/dev/null/x"), "--data /dev/null/x cannot be used"),
        (("trigger", "count", "--every", "soon"), "is no time; write 500ms, 5s, 2m or 1h"),
        (("trigger", "count", "--times", "0"), "is no number from 1 up"),
        (("flow", "/nowhere.json"), "/nowhere.json cannot be read"),
        (("nosuch",), "invalid choice: 'nosuch'"),
        (("triger",), "Did you mean trigger?"),
        (("action", "echo", "--bdoy", "{}"), "unrecognized arguments: --bdoy {}. Did you mean --body?"),
        (("action", "echo", "--evry=5s"), "unrecognized arguments: --evry=5s"),
        (("action", "echo", "--json", "--wide"), "With --json everything is there"),
        (("action", "echo", "--columns", "a,,b"), "must have the form A,B"),
        (("completion", "tcsh"), "invalid choice: 'tcsh'"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_do(arguments: tuple[str, ...], said: str) -> None:
    ended = run(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_code_that_does_not_load_is_told_with_its_reason() -> None:
    ended = run("action", "broken")

    assert ended.code == 1
    assert "'./broken.py'" in ended.err
    assert "this file is broken" in ended.err
    assert "Traceback" not in ended.err


def test_a_folder_without_a_component_is_told(tmp_path: Path) -> None:
    ended = run("list", component=tmp_path)

    assert ended.code == 2
    assert f"{tmp_path}/component.json cannot be read" in ended.err


def test_list_shows_key_title_group_and_version_and_can_be_narrowed() -> None:
    assert run("list", "ech", "--json").emissions == [
        {"key": "echo", "title": "Echo", "group": "actions", "since": "1.25+"}
    ]
    assert "count       Count" in run("list").out


def test_describe_shows_inputs_with_type_title_and_versions() -> None:
    lines = [line.split() for line in run("describe", "echo").out.splitlines()]

    assert ["text", "string", "yes", "Text.", "What", "comes", "back"] in lines
    assert ["place", "object", "Place"] in lines
    assert ["place.row", "integer", "-1.43", "row"] in lines
    assert ["tags", "array", "of", "string", "1.41+", "Tags"] in lines
    command = ["scripts/run", "action", "echo", "--body", '\'{"text":', '"<Text>"}\'']
    assert lines[-1] == [*command, "--component", str(COMPONENT)]


def test_describe_gives_pipes_everything_in_one_value() -> None:
    (described,) = run("describe", "count", "--json").emissions

    assert described["fields"]["step"]["label"] == "Step width"
    assert described["out"]["properties"]["n"]["type"] == "number"


def test_help_tells_the_commands_and_exit_codes() -> None:
    ended = run("--help", component=None)

    assert ended.code == 0
    assert "Exit codes: 0 done, 1 a step ended in an error, 2 wrong" in ended.out.replace("\n", " ")


def test_the_versions_of_component_and_runtime_are_told() -> None:
    lines = run("--version", component=None).out.splitlines()

    assert lines[0].startswith("Docker Engine ")
    assert lines[1].startswith("Runtime ")


def test_list_loads_nothing_that_only_runs_need() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lib.local", "list"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "lib.local.catalog.search" in loaded
    heavy = ("jsonata", "requests", "urllib3", "pika", "shtab", "difflib", "lib.engine", "lib.local.commands")
    assert [name for name in loaded if name.startswith(heavy)] == []
