"""The local runner against a real engine, as a child process."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.lab.engine import LabEngine
from tests.lab.waiting import DEADLINE, wait_until
from tests.local.running import ROOT, Ended, run, start

pytestmark = pytest.mark.engine

MakeContainer = Callable[..., str]
EXAMPLE = ROOT / "examples" / "flows" / "crash-watch.json"


def bodies(ended: Ended) -> list[Any]:
    return [line["message"]["body"] for line in ended.emissions if line["event"] == "data"]


def containers(engine: LabEngine) -> set[str]:
    return {entry["Id"] for entry in engine.wire.do("GET", "/containers/json", all=True).json()}


def images(engine: LabEngine) -> set[str]:
    return {entry["Id"] for entry in engine.wire.do("GET", "/images/json", all=True).json()}


def test_an_action_lists_the_containers(engine_lab: LabEngine, make_container: MakeContainer) -> None:
    made = make_container()

    ended = run(
        "action",
        "ContainerList",
        "--body",
        '{"all": true}',
        "--json",
        component=None,
        DOCKER_HOST=engine_lab.url,
    )

    assert ended.code == 0
    assert made in {entry["Id"] for entry in bodies(ended)[0]["results"]}


def test_people_see_the_containers_as_a_table(engine_lab: LabEngine, make_container: MakeContainer) -> None:
    made = make_container()

    ended = run(
        "action", "ContainerList", "--body", '{"all": true}', "--engine", engine_lab.url, component=None
    )

    assert made[:12] in ended.out


def test_an_error_of_the_engine_is_a_sentence_with_status_and_path(engine_lab: LabEngine) -> None:
    ended = run(
        "action",
        "ContainerInspect",
        "--body",
        '{"id": "no-such-container"}',
        "--engine",
        engine_lab.url,
        component=None,
    )

    assert (ended.code, ended.out) == (1, "")
    assert "No such container: no-such-container [404 GET /v" in ended.err
    assert "Traceback" not in ended.err


def test_an_engine_that_is_not_there_is_told_with_its_address(tmp_path: Path) -> None:
    ended = run("verify", "--engine", f"unix://{tmp_path}/none.sock", "--json", component=None)

    assert ended.code == 1
    assert "none.sock" in ended.emissions[0]["reason"]


def test_a_good_credential_is_told_with_the_version_in_use(engine_lab: LabEngine) -> None:
    ended = run("verify", "--engine", engine_lab.url, component=None)

    assert ended.code == 0
    assert engine_lab.api in ended.out


def test_a_killed_trigger_repeats_with_the_same_ids_and_loses_nothing(
    engine_lab: LabEngine, make_container: MakeContainer, tmp_path: Path
) -> None:
    prefix = f"event-{random_id()[:8]}"
    made = {make_container(name=f"{prefix}-{number}") for number in range(5)}
    config = json.dumps({"names": f"{prefix}-*", "actions": "create", "startFrom": "everything"})
    options = ("trigger", "engineEvents", "--config", config, "--engine", engine_lab.url, "--json")
    kept = ("--state", tmp_path / "state.json", "--every", "200ms")

    def poll() -> Ended:
        return run(*options, *kept, "--times", "1", component=None)

    wait_until(lambda: len(bodies(run(*options, "--times", "1", component=None))) == len(made), "the events")
    killed = start(*options, *kept, component=None, TMPDIR=str(tmp_path))
    assert killed.stdout is not None
    first = json.loads(killed.stdout.readline())
    killed.kill()
    killed.communicate(timeout=DEADLINE)
    (tmp_path / "state.json").unlink(missing_ok=True)  # as if it had been killed before its snapshot
    again, after = poll(), poll()

    assert again.emissions[0]["message"]["id"] == first["message"]["id"]
    assert {body["Actor"]["ID"] for body in bodies(again)} == made
    assert bodies(after) == []


def test_the_example_reports_the_crash_and_leaves_nothing(engine_lab: LabEngine, tmp_path: Path) -> None:
    before = containers(engine_lab), images(engine_lab)

    ended = run(component=None, DOCKER_HOST=engine_lab.url, TMPDIR=str(tmp_path))

    assert ended.code == 0, ended.err
    assert "│ exit code     │ 3" in ended.out
    assert "│ last log line │ Giving up: the database does not answer" in ended.out
    assert (containers(engine_lab), images(engine_lab)) == before
    assert list(tmp_path.iterdir()) == []


def test_the_example_ended_by_a_signal_leaves_nothing(engine_lab: LabEngine, tmp_path: Path) -> None:
    before = containers(engine_lab), images(engine_lab)
    running = start(component=None, DOCKER_HOST=engine_lab.url, TMPDIR=str(tmp_path))
    assert running.stderr is not None
    while "polling" not in (line := running.stderr.readline()):
        assert line

    running.terminate()
    running.communicate(timeout=DEADLINE)

    assert running.returncode == 143
    assert (containers(engine_lab), images(engine_lab)) == before
    assert list(tmp_path.iterdir()) == []


def test_the_example_flow_gives_pipes_every_emission(
    engine_lab: LabEngine, make_container: MakeContainer
) -> None:
    flow = start("flow", EXAMPLE, "--every", "300ms", "--json", component=None, DOCKER_HOST=engine_lab.url)
    assert flow.stdout is not None
    flow.stdout.readline()  # the first snapshot: from here on, everything is new
    crashed = make_container(("sh", "-c", "echo so long; exit 7"))
    engine_lab.wire.do("POST", f"/containers/{crashed}/start")

    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["step"] != "step_3":
        seen.append(json.loads(flow.stdout.readline()))
    flow.terminate()
    flow.communicate(timeout=DEADLINE)

    passed = seen[-1]["message"]["passthrough"]
    assert passed["step_1"]["body"]["Actor"]["ID"] == crashed
    assert passed["step_2"]["body"]["State"]["ExitCode"] == 7
    assert [line["text"] for line in seen[-1]["message"]["body"]["results"]] == ["so long"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_engine_to_try_things_on_stays_until_it_is_interrupted(form: str) -> None:
    with (
        start("engine", *(["--json"] if form == "json" else []), component=None) as running,
        ExitStack() as undo,
    ):
        undo.callback(running.kill)
        assert running.stdout
        assert running.stderr
        line = running.stdout.readline()
        assert line, running.stderr.read()
        url = (
            json.loads(line)["DOCKER_HOST"]
            if form == "json"
            else line.strip().removeprefix("export DOCKER_HOST=")
        )

        ended = run("action", "ImageList", "--json", component=None, DOCKER_HOST=url)
        running.send_signal(signal.SIGINT)

        assert running.wait(DEADLINE) == 0
    assert ["busybox:local"] in [entry["RepoTags"] for entry in bodies(ended)[0]["results"]]
    assert not Path(url.removeprefix("unix://")).parent.exists()
