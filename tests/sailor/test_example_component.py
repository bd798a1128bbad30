"""examples/component and docs/own-component.md: the page shows these files, and they work as it says."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from lib.sailor import Message
from tests.lab.broker import Broker
from tests.lab.own_component import EXAMPLE, ROOT, assembled, blocks
from tests.lab.waiting import DEADLINE
from tests.local.pages import marked, shell, workplace
from tests.local.running import run
from tests.sailor.platform import Platform
from tests.sailor.step_harness import StepHarness

TICKET = {"number": 7, "title": "Broken lamp"}


@pytest.fixture
def service() -> Iterator[Platform]:
    """A ticket service with one ticket."""
    with Platform() as service:
        service.on("GET", "/tickets.json", (200, [TICKET]))
        service.on("GET", "/tickets/7.json", (200, TICKET))
        yield service


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assembled(tmp_path_factory.mktemp("author"))


def within(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
    return subprocess.run(
        command,
        cwd=folder,
        env={"PATH": path, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )


def credential(service: Platform, token: str = "the-token-canary") -> dict[str, str]:
    return {"url": service.url, "token": token}


def test_the_page_shows_every_file_as_it_is() -> None:
    shown = dict(blocks("file"))
    there = {path.name: path.read_text("utf-8").rstrip() for path in EXAMPLE.iterdir() if path.is_file()}
    del there["test_tickets.py"]  # long, and shown in parts

    assert shown == there


def test_the_page_shows_parts_of_the_tests_as_they_are() -> None:
    parts = blocks("part of")

    assert len(parts) == 3
    for name, text in parts:
        assert f"\n{text}\n" in (EXAMPLE / name).read_text("utf-8")


def test_its_own_tests_succeed_with_the_runtime_that_it_copied(folder: Path) -> None:
    done = within(folder, "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", ".")

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b8 passed", done.stdout)


def test_its_entry_point_answers_a_service_call(folder: Path, service: Platform) -> None:
    service.on("POST", "/result", (200, {}))
    done = within(
        folder,
        "bin/dispatch",
        "verifyCredentials",
        ELASTICIO_CFG=json.dumps(credential(service)),
        ELASTICIO_POST_RESULT_URL=f"{service.url}/result",
        ELASTICIO_API_URI=service.url,
        ELASTICIO_API_USERNAME="user",
        ELASTICIO_API_KEY="the-api-key-canary",
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (posted,) = service.asked("POST", "/result")
    assert posted.json() == {"status": "success", "data": {"verified": True, "tickets": 1}}


def test_the_runtime_needs_no_other_file_than_those_that_are_copied(folder: Path) -> None:
    copied = {path.stem for path in (folder / "lib").iterdir()}

    assert {name.split(".")[1] for name in imported(folder) if name.startswith("lib.")} <= copied


def test_the_requirements_are_what_the_runtime_imports_with_what_that_needs(folder: Path) -> None:
    outside = {name.split(".")[0] for name in imported(folder)} - sys.stdlib_module_names - {"lib"}
    pinned = [line for line in lines(EXAMPLE / "requirements.txt") if "==" in line]

    assert set(pinned) <= {line.removesuffix(" \\") for line in lines(ROOT / "requirements.txt")}
    assert {line.partition("==")[0] for line in pinned} == with_what_they_need(outside)


def imported(folder: Path) -> set[str]:
    """The modules that any file of the runtime imports, at its top or later."""
    found: set[str] = set()
    for path in (folder / "lib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module == "lib":
                found |= {f"lib.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    return found


def lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines()


def with_what_they_need(names: set[str]) -> set[str]:
    wanted, found = list(names), set(names)
    while wanted:
        for text in importlib.metadata.requires(wanted.pop()) or ():
            needed = Requirement(text)
            if needed.name not in found and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
                found.add(needed.name)
                wanted.append(needed.name)
    return found


def start(stage: StepHarness, function: str, service: Platform) -> None:
    stage.platform.step["config"] = credential(service)
    stage.start(function, component_path="examples/component")


def test_the_trigger_works_over_a_broker(stage: StepHarness, service: Platform) -> None:
    start(stage, "newTickets", service)
    stage.wires.send({"body": {}})
    told = stage.take("data")
    stage.take("snapshot")
    service.on("GET", "/tickets.json", (200, [TICKET, {"number": 8, "title": "Door"}]))
    stage.wires.send({"body": {}})

    assert told.payload["body"] == TICKET
    assert told.headers["messageId"] == told.payload["id"]
    assert stage.take("data").payload["body"]["number"] == 8
    assert stage.take("snapshot").plain == {"last": 8}
    stage.settled()


def test_the_action_works_over_a_broker(stage: StepHarness, service: Platform) -> None:
    service.on("GET", "/tickets/8.json", (503, {}))
    start(stage, "getTicket", service)
    for number in (7, 8, "9"):
        stage.wires.send({"body": {"number": number}})

    assert stage.take("data").payload["body"] == TICKET
    assert "was answered with 503" in stage.take("rebound").headers["reboundReason"]
    assert stage.take("error").error["message"] == "number: a whole number was expected"
    assert service.requests[0].headers["authorization"] == "Bearer the-token-canary"
    stage.settled()
    assert stage.process is not None
    assert "canary" not in "".join(stage.process.raw)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("action", "getTicket", "--body", '{"number": 7}'), [("getTicket", "data")]),
        (
            ("flow", EXAMPLE / "flow.json", "--times", "1"),
            [("step_1", "data"), ("step_2", "data"), ("step_1", "snapshot")],
        ),
    ],
)
def test_the_local_runner_runs_it(
    service: Platform, arguments: tuple[Any, ...], told: list[tuple[str, str]]
) -> None:
    ended = run(*arguments, "--config", json.dumps(credential(service)), "--json", component=EXAMPLE)

    assert ended.code == 0, ended.err
    assert [(line["step"], line["event"]) for line in ended.emissions] == told
    assert all(line["message"]["body"] == TICKET for line in ended.emissions if line["event"] == "data")


def test_the_commands_of_the_page_run_as_they_stand(service: Platform, tmp_path: Path) -> None:
    """docs/own-component.md: in the folder of the component, beside a clone of this repository."""
    (commands,) = [
        block.text for block in marked("run by", "docs/own-component.md") if block.language == "sh"
    ]
    (tmp_path / "connector").mkdir()
    workplace(tmp_path / "connector")
    shutil.copytree(EXAMPLE, tmp_path / "tickets", ignore=shutil.ignore_patterns("__pycache__"))
    address = "http://127.0.0.1:8000"
    assert address in commands

    done = shell(commands.replace(address, service.url), tmp_path / "tickets")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Broken lamp") >= 3


def test_the_message_of_the_page_is_one() -> None:
    (text,) = [
        block.text for block in marked("run by", "docs/own-component.md") if block.language == "python"
    ]
    assert eval(text, {"Message": Message}) == Message({"number": 7})


def test_the_flow_runs_over_a_broker(broker: Broker, service: Platform) -> None:
    options = ("--times", "1", "--amqp", broker.uri, "--config", json.dumps(credential(service)), "--json")
    ended = run("flow", EXAMPLE / "flow.json", *options, component=EXAMPLE)

    assert ended.code == 0, ended.err
    data = {line["step"]: line["message"]["body"] for line in ended.emissions if line["event"] == "data"}
    assert data == {"step_1": TICKET, "step_2": TICKET}


@pytest.mark.parametrize(("status", "code"), [(200, 0), (401, 1)])
def test_the_local_runner_verifies_its_credential(service: Platform, status: int, code: int) -> None:
    service.on("GET", "/tickets.json", (status, []))
    ended = run("verify", "--config", json.dumps(credential(service)), "--json", component=EXAMPLE)

    assert (ended.code, ended.emissions[0]["verified"]) == (code, code == 0)
