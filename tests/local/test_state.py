from __future__ import annotations

from pathlib import Path

import pytest

from lib.local.problems import UsageError
from lib.local.state import StateFile


def test_a_snapshot_is_there_again_for_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "state.json"
    StateFile(path).save({"seen": ["a"]})

    assert StateFile(path).snapshot == {"seen": ["a"]}
    assert [entry.name for entry in path.parent.iterdir()] == ["state.json"]


def test_without_a_path_the_snapshot_lives_in_memory() -> None:
    state = StateFile(None)
    state.save({"n": 1})

    assert state.snapshot == {"n": 1}


@pytest.mark.parametrize("text", ["", '{"half": ', "[1]"])
def test_a_file_that_holds_no_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)

    with pytest.raises(UsageError, match="state file"):
        StateFile(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="cannot be written"):
        StateFile(tmp_path / "file" / "state.json").save({})
