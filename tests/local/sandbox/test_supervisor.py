from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lib.local.sandbox.supervisor import Supervisor, SupervisorError
from tests.lab.engine import LabEngine
from tests.lab.fixtures import MakeContainer
from tests.lab.waiting import DEADLINE, wait_until

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def mentioned(word: str) -> list[str]:
    """Processes of this machine, mounts and cgroups that have `word` in their command line, place or name."""
    # os.walk passes over what goes while it looks; others' containers come and go.
    found = [place for place, _, _ in os.walk("/sys/fs/cgroup") if word in place]
    for commands in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in commands.read_text(errors="replace"):
                found.append(str(commands))
        except OSError:  # it has just ended
            continue
    return found + [line for line in Path("/proc/mounts").read_text().splitlines() if word in line]


def begin_child(*lines: str) -> tuple[subprocess.Popen[str], str]:
    """Another Python that keeps a service, and the folder of the service."""
    command = [sys.executable, "-c", "\n".join(lines)]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    assert child.stdout is not None
    return child, child.stdout.readline().strip()


def end_child(child: subprocess.Popen[str], number: int) -> None:
    child.send_signal(number)
    child.communicate(timeout=DEADLINE)


def test_a_closed_keeper_leaves_neither_process_nor_folder(tmp_path: Path) -> None:
    supervisor = Supervisor("kept")
    supervisor.start(
        ["sh", "-c", "trap '' TERM; sleep 1000 & setsid sleep 1000 & wait; sleep 1000"], ENVIRONMENT
    )
    supervisor.stop(0.1)
    supervisor.close()
    assert not os.path.exists(supervisor.folder)
    assert not mentioned(supervisor.folder)


def test_the_program_may_be_stopped_and_started_again_in_the_same_folder() -> None:
    supervisor = Supervisor("kept")
    supervisor.start(["sh", "-c", f"echo one >{supervisor.folder}/file; exec sleep 1000"], ENVIRONMENT)
    file = Path(supervisor.folder, "file")
    wait_until(lambda: file.exists() and file.read_text() == "one\n", "the file")  # it is empty at first
    supervisor.stop()
    assert not supervisor.running
    supervisor.start(["cat", f"{supervisor.folder}/file"], ENVIRONMENT)
    wait_until(lambda: supervisor.last_words() == "one", "its words")
    supervisor.close()


def test_a_program_that_does_not_exist_leaves_its_reason_in_the_log() -> None:
    supervisor = Supervisor("kept")
    supervisor.start(["no-such-program"], ENVIRONMENT)
    wait_until(lambda: not supervisor.running, "its end")
    assert "no-such-program" in supervisor.last_words()
    supervisor.close()


def test_a_keeper_that_was_killed_says_so() -> None:
    supervisor = Supervisor("kept")
    os.kill(supervisor._process.pid, signal.SIGKILL)
    with pytest.raises(SupervisorError, match="died"):
        supervisor.start(["true"], ENVIRONMENT)
    os.rmdir(supervisor.folder)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_service_goes_when_its_owner_is_killed(number: int) -> None:
    child, folder = begin_child(
        "from lib.local.sandbox.supervisor import Supervisor",
        "supervisor = Supervisor('kept')",
        f"supervisor.start(['sh', '-c', 'sleep 1000 # ' + supervisor.folder], {ENVIRONMENT!r})",
        "print(supervisor.folder, flush=True)",
        "input()",
    )
    end_child(child, number)
    wait_until(lambda: not os.path.exists(folder) and not mentioned(folder), "the service to go")


def test_an_engine_goes_with_containers_mounts_and_cgroups_when_its_owner_is_killed(
    engine_lab: LabEngine,
) -> None:
    child, folder = begin_child(
        "from tests.lab.engine import LabEngine",
        "engine = LabEngine.begin()",
        "engine.run()",
        "paused = engine.run()",
        "engine.wire.do('POST', f'/containers/{paused}/pause')",
        "engine.kill()",
        "print(engine.folder, flush=True)",
        "input()",
    )
    end_child(child, signal.SIGKILL)
    name = os.path.basename(folder)
    wait_until(lambda: not os.path.exists(folder) and not mentioned(name), "the engine to go")


def test_an_engine_that_was_closed_leaves_nothing(engine_lab: LabEngine) -> None:
    engine = LabEngine.begin()
    engine.run()
    engine.freeze()
    name = os.path.basename(engine.folder)
    engine.thaw()
    engine.close()
    assert not os.path.exists(engine.folder)
    assert not mentioned(name)


def test_containers_of_the_factories_are_gone_after_the_test(
    engine_lab: LabEngine, make_container: MakeContainer, run_container: MakeContainer
) -> None:
    assert make_container() != run_container()
