"""The completion scripts, in a real bash; zsh and fish where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lab.waiting import DEADLINE
from tests.local.running import run

ASK = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
spec=$(complete -p run)
function=${spec##*-F }
"${function%% *}" run "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("completion") / "run.bash"
    file.write_text(run("completion", "bash").out)
    return file


def completed(script: Path, *words: str) -> list[str]:
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", ASK, "bash", str(script), "scripts/run", *words],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_keys_and_options(script: Path) -> None:
    assert completed(script, "tri") == ["trigger"]
    assert completed(script, "action", "ec") == ["echo"]
    assert completed(script, "trigger", "") == ["count"]
    assert completed(script, "describe", "co") == ["comeBack", "configured", "count"]
    assert completed(script, "action", "--bo") == ["--body"]
    assert completed(script, "completion", "z") == ["zsh"]


def test_the_keys_are_those_of_the_component() -> None:
    own = run("completion", "bash", component=None).out
    assert "ContainerList" in own
    assert "ContainerList" not in run("completion", "bash").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_can_read_its_script(shell: str, tmp_path: Path) -> None:
    ended = run("completion", shell)
    assert (ended.code, ended.err) == (0, "")
    for word in ("trigger", "echo", "count", "body"):
        assert word in ended.out
    if shutil.which(shell):
        (tmp_path / "script").write_text(ended.out)
        subprocess.run([shell, "-n", tmp_path / "script"], check=True, timeout=DEADLINE)
