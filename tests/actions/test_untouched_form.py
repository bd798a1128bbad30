"""What a form sends for a field that nobody has touched is as good as nothing (fault 8.32)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.standalone.folder import FolderStorage
from tests.actions.recorder import Recorder
from tests.actions.stepping import Outcome, run_step
from tests.actions.test_step_form import EXAMPLES, MANIFEST

CREDENTIAL = MANIFEST["credentials"]["fields"]


@pytest.mark.parametrize("key", MANIFEST["actions"])
def test_settings_that_nobody_has_touched_refuse_nothing_fault_8_32(key: str, tmp_path: Path) -> None:
    body = json.loads(json.dumps(EXAMPLES.get(key, {})))
    fields = {**CREDENTIAL, **MANIFEST["actions"][key]["fields"]}
    storage = FolderStorage(str(tmp_path / "stored"))

    def told(outcome: Outcome) -> Any:
        return [error["message"] for error in outcome.errors], outcome.bodies

    with Recorder(tmp_path) as recorder:
        bare = told(run_step(key, body, {"server": recorder.url}, storage=storage))
        asked = [(one.method, one.path, one.query) for one in recorder.asked]
        for untouched in ("", " ", None):
            recorder.asked.clear()
            config = {**dict.fromkeys(fields, untouched), "server": recorder.url}
            outcome = told(run_step(key, body, config, storage=storage))
            assert outcome[0] == bare[0]
            assert [(one.method, one.path, one.query) for one in recorder.asked] == asked
