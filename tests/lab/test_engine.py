from __future__ import annotations

import pytest

from tests.lab.engine import LabEngine
from tests.lab.fixtures import MakeContainer
from tests.lab.wire import Wire


def test_the_engine_answers_on_its_socket_and_knows_its_version(engine_lab: LabEngine) -> None:
    assert engine_lab.wire.do("GET", "/_ping").body == b"OK"
    about = engine_lab.wire.do("GET", "/version").json()
    assert about["Version"].startswith(engine_lab.version)
    assert about["ApiVersion"] == engine_lab.api


def test_a_container_runs_to_its_exit_code(engine_lab: LabEngine, run_container: MakeContainer) -> None:
    container = run_container(["sh", "-c", "echo last words; exit 3"])
    assert engine_lab.wait(container) == 3


def test_tcp_leads_to_the_same_engine(engine_lab: LabEngine) -> None:
    assert Wire(engine_lab.tcp_url).do("GET", "/_ping").body == b"OK"


def test_an_engine_of_the_users_own_serves_as_well(engine_lab: LabEngine) -> None:
    guest = LabEngine.given(engine_lab.url)
    guest.run(["true"], name="guest")
    assert guest.wait("guest") == 0
    assert Wire(guest.tcp_url).do("GET", "/_ping").body == b"OK"
    guest.remove("guest")
    guest.close()
    engine_lab.import_image(engine_lab.image)


def test_a_frozen_engine_says_nothing_until_it_thaws() -> None:
    engine = LabEngine.begin()
    engine.freeze()
    with pytest.raises(TimeoutError):
        Wire(engine.url, timeout=0.2).ask("GET", "/_ping")
    engine.thaw()
    assert engine.wire.do("GET", "/_ping").body == b"OK"
    engine.close()


def test_a_killed_engine_comes_back_with_its_containers_and_port() -> None:
    engine = LabEngine.begin()
    container = engine.run()
    engine.kill()
    for url in (engine.url, engine.tcp_url):
        with pytest.raises(ConnectionRefusedError):
            Wire(url).ask("GET", "/_ping")
    engine.start()
    assert Wire(engine.tcp_url).do("GET", f"/containers/{container}/json").json()["State"]["ExitCode"] == 137
    engine.close()
