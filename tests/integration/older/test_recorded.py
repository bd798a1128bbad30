"""What engines answered under API 1.25 to 1.40 is read as they meant it: answers of real ones, sent again by a server.

What goes out in these versions, and what is refused before, is shown on real engines: tests/integration/operations with
the kind 26.1-at-1.33, and tests/actions/test_field_versions.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.engine.version import Version
from lib.metadata import facts
from tests.actions.stepping import forget_engines, run_step
from tests.integration.older.record import CALLS, FILE, VERSIONS
from tests.integration.operations.declared import undeclared
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import PollHarness

RECORDED: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(FILE.read_text())
OPERATIONS = facts.load().operations
EACH = pytest.mark.parametrize(
    "older", [(kind, version) for kind in RECORDED for version in VERSIONS], indirect=True, ids="-".join
)
SOME = pytest.mark.parametrize(
    "older",
    [(kind, version) for kind in RECORDED for version in ("1.25", "1.40")],
    indirect=True,
    ids="-".join,
)


class Older(FakeEngine):
    """An engine whose newest version is `api`, with the answers that `kind` gave under it."""

    def __init__(self, folder: Path, kind: str, api: str) -> None:
        super().__init__(str(folder / "older.sock"))
        self.api = api
        for path, answers in RECORDED[kind].items():
            fitting = [one for one in answers if Version.parse(one["from"]) <= Version.parse(api)]
            body = fitting[-1]["body"]
            if path == "/version":
                body = {**body, "ApiVersion": api, "MinAPIVersion": "1.12"}
            self.routes[path] = lambda _, status=fitting[-1]["status"], body=body: (status, body)  # type: ignore[misc]


@pytest.fixture
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Older]:
    engine = Older(tmp_path, *request.param)
    yield engine
    forget_engines()
    engine.close()


@EACH
def test_every_answer_is_what_the_schemas_declare(older: Older) -> None:
    spoken = Version.parse(older.api)
    for key, (body, path) in CALLS.items():
        outcome = run_step(key, body, {**older.config, "errorPolicy": "throwError"})
        if Version.parse(OPERATIONS[key]["since"]) > spoken:
            assert [error["name"] for error in outcome.errors] == ["VersionMismatch"], key
            continue
        answer = older.routes[path]({})[1]
        told = outcome.body
        assert told == (answer if isinstance(answer, dict) else {"results": answer}), key
        assert undeclared(key, told) == [], key


@SOME
@pytest.mark.parametrize(
    ("module", "fields"),
    [
        ("container_state_changed", {}),
        ("object_changed", {}),
        ("disk_usage", {"totalGigabytes": "0.001"}),
        ("task_failed", {}),
    ],
)
def test_triggers_read_them_and_tell_nothing_twice(older: Older, module: str, fields: dict[str, Any]) -> None:
    step = PollHarness(module, {**older.config, **fields})
    first = step.poll().bodies
    assert [told["kind"] for told in first] == (["threshold"] if module == "disk_usage" else [])
    assert step.poll().bodies == []
