"""JSON of another form than an operation answers is an error of the engine, not of ours (fault 8.30)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.metadata.facts import load
from tests.actions.hostile_engine import HostileEngine, Script
from tests.actions.stepping import run_step
from tests.engine.scripted import answer

EXAMPLES = load().examples
UPDATES = ("ServiceUpdate", "SecretUpdate", "ConfigUpdate", "NodeUpdate", "SwarmUpdate", "VolumeUpdate")


@pytest.mark.parametrize(
    "told",
    [
        b"{}",
        b"[]",
        b"7",
        b'"x"',
        b'{"Spec":null,"Version":{}}',
        b'{"Config":[],"State":"x","ProcessConfig":7}',
        b'{"Spec":{},"Version":{"Index":"x"}}',
        b'{"ClusterVolume":7}',
        b'{"ClusterVolume":{"Spec":7,"Version":{"Index":1}}}',
        b'{"cpu_stats":7,"memory_stats":{"usage":"x","limit":"y"},"precpu_stats":{"system_cpu_usage":{}}}',
    ],
)
@pytest.mark.parametrize(
    "key",
    [*UPDATES, "ContainerAttach", "ContainerAttachWebsocket", "ExecStart", "ContainerStats", "ContainerWait"],
)
def test_an_answer_of_another_form_is_an_error_of_the_engine(key: str, told: bytes, tmp_path: Path) -> None:
    """Fault 8.30."""
    body: dict[str, Any] = {name: item for name, item in EXAMPLES[key].items() if name != "version"}
    with HostileEngine(tmp_path) as engine:
        engine.script = Script(0, answer(told))
        outcome = run_step(key, body, {"server": engine.url, "errorPolicy": "throwError"})
    assert {error["name"] for error in outcome.errors} <= {
        "EngineFault",
        "StreamFailed",
        "BadInput",
        "StreamCut",
        "OutcomeUnknown",
    }
