"""Flow files over a real RabbitMQ: each step is a process of its own."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.lab.broker import Broker
from tests.lab.waiting import DEADLINE
from tests.local.running import Ended, run, start

pytestmark = pytest.mark.broker


def node(place: str, function: str, **fields: Any) -> dict[str, Any]:
    return {"id": place, "command": f"team/tiny:{function}@1.0.0", "fields": fields}


def edge(source: str, target: str, **config: Any) -> dict[str, Any]:
    return {"source": source, "target": target, "config": config}


def written(folder: Path, **parts: Any) -> Path:
    file = folder / "flow.json"
    file.write_text(json.dumps(parts))
    return file


def data(ended: Ended) -> list[tuple[str, Any]]:
    return [(line["step"], line["message"]["body"]) for line in ended.emissions if line["event"] == "data"]


def queues(broker: Broker) -> list[str]:
    return [
        name for name in broker.ctl("list_queues", "--no-table-headers", "name").split() if "local-" in name
    ]


def test_a_flow_over_a_broker_gives_the_same_emissions_and_leaves_no_queue(
    broker: Broker, tmp_path: Path
) -> None:
    witness = tmp_path / "witness"
    file = written(
        tmp_path,
        nodes=[node("step_1", "count", witness=str(witness)), node("step_2", "echo"), node("step_3", "echo")],
        edges=[
            edge("step_1", "step_2", mapper={"text": '"n is " & n'}),
            edge("step_2", "step_3", mapper={"both": "text & ', ' & elasticio.step_1.body.n"}),
        ],
    )
    options = ("flow", file, "--amqp", broker.uri, "--times", "2", "--every", "1ms", "--json")

    ended = run(*options, "--state", tmp_path / "state.json")

    assert ended.code == 0, ended.err
    assert sorted(data(ended), key=repr) == [
        ("step_1", {"n": 1}),
        ("step_1", {"n": 2}),
        ("step_2", {"text": "n is 1"}),
        ("step_2", {"text": "n is 2"}),
        ("step_3", {"both": "n is 1, 1"}),
        ("step_3", {"both": "n is 2, 2"}),
    ]
    assert json.loads((tmp_path / "state.json").read_text()) == {"n": 2}
    assert witness.read_text() == "shutdown {'started with': None}\n"
    assert queues(broker) == []


def test_errors_and_rebounds_take_the_ways_of_the_platform(broker: Broker, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        nodes=[node("t", "count"), node("bad", "fail", token="hunter22"), node("slow", "comeBack")],
        edges=[edge("t", "bad"), edge("t", "slow")],
    )

    # As short as can be: a rebound must be told though its pause is over before the run has read what came before it.
    ended = run("flow", file, "--amqp", broker.uri, "--times", "1", "--rebound-pause", "1ms", "--json")

    events = [line["event"] for line in ended.emissions if line["step"] == "slow"]
    assert ended.code == 1
    assert [line["message"]["message"] for line in ended.emissions if line["event"] == "error"] == [
        "no luck with ***"
    ]
    assert events == ["updateSnapshot", "rebound", "updateSnapshot", "rebound", "data"]
    assert data(ended)[-1] == ("slow", {"tries": 2, "n": 1})


def test_a_step_that_cannot_start_ends_the_run_with_its_reason(broker: Broker, tmp_path: Path) -> None:
    file = written(tmp_path, nodes=[node("t", "count"), node("b", "broken")], edges=[edge("t", "b")])

    ended = run("flow", file, "--amqp", broker.uri, "--times", "1", "--json")

    assert ended.code == 1
    assert "this file is broken" in ended.err
    assert "The process of b ended by itself with exit code 1" in ended.err
    assert queues(broker) == []


def test_ctrl_c_ends_all_steps_and_removes_the_queues(broker: Broker, tmp_path: Path) -> None:
    file = written(tmp_path, nodes=[node("t", "count"), node("a", "echo")], edges=[edge("t", "a")])
    running = start("flow", file, "--amqp", broker.uri, "--every", "1h", "--json")
    assert running.stdout is not None
    while '"step":"a"' not in (line := running.stdout.readline()):
        assert line

    running.send_signal(signal.SIGINT)
    running.communicate(timeout=DEADLINE)

    assert running.returncode == 130
    assert queues(broker) == []


def test_a_broker_that_is_not_there_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, nodes=[node("t", "count")], edges=[])

    ended = run("flow", file, "--amqp", "amqp://127.0.0.1:1", "--times", "1")

    assert ended.code == 1
    assert "AMQP connection" in ended.err
    assert "Traceback" not in ended.err
