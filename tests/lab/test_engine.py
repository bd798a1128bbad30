from __future__ import annotations

from tests.lab.engine import LabEngine
from tests.lab.fixtures import MakeContainer


def test_the_engine_answers_on_its_socket_and_knows_its_version(engine_lab: LabEngine) -> None:
    assert engine_lab.wire.do("GET", "/_ping").body == b"OK"
    assert engine_lab.version.startswith("20.10.")
    assert engine_lab.api == "1.41"


def test_a_container_runs_to_its_exit_code(engine_lab: LabEngine, run_container: MakeContainer) -> None:
    container = run_container(["sh", "-c", "echo last words; exit 3"])
    assert engine_lab.wait(container) == 3
