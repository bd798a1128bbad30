"""A step that is killed in the middle of what it reads from or writes to a storage does the whole of it once more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sailor.platform import Answer, Request
from tests.sailor.process import Process
from tests.sailor.step_harness import StepHarness
from tests.sailor.test_checklist_objects import OBJECT_ID, TOKEN

pytestmark = pytest.mark.broker
SIZE = 60_000


def start(stage: StepHarness, **changes: str) -> Process:
    return stage.start(object_storage_token=TOKEN, object_storage_uri=stage.platform.url, **changes)


def held(
    stage: StepHarness, method: str, path: str, answer: Callable[[Request], Answer]
) -> Callable[[], None]:
    """Keep the first call waiting; what is returned kills the step once it waits, and lets the call go."""
    killed = threading.Event()

    def wait(request: Request) -> Answer:
        killed.wait()
        return answer(request)

    stage.platform.on(method, path, wait, answer)

    def kill() -> None:
        stage.platform.wait_for(method, path)
        assert stage.process is not None
        stage.process.close()
        killed.set()

    return kill


def only(stage: StepHarness) -> Any:
    """The one message that came out."""
    got = stage.take("data")
    stage.settled()
    assert stage.wires.peek("data") is None
    assert stage.wires.peek("error") is None
    return got.payload


@pytest.mark.parametrize("size", [None, SIZE])
def test_killed_in_the_middle_of_an_attachment_fault_8_4(
    stage: StepHarness, tmp_path: Path, size: int | None
) -> None:
    process = start(stage)
    stage.do("store_slowly", file=str(tmp_path / "go"), **({"size": size} if size else {}))
    process.wait_message("at work")
    process.close()
    assert stage.platform.objects == {}

    (tmp_path / "go").touch()
    start(stage)
    attachment = only(stage)["attachments"]["file"]
    name = attachment["url"].rpartition("/")[2].partition("?")[0]
    assert stage.platform.objects == {name: b"abc" * 10_000 + b"def" * 10_000}
    assert attachment["size"] == SIZE


def test_killed_while_a_body_is_put_into_the_object_storage_fault_8_4(stage: StepHarness) -> None:
    def store(request: Request) -> Answer:
        return 201, {"objectId": stage.platform.keep(request.body)}

    kill = held(stage, "POST", "/objects", store)
    lightweight = {"emit_lightweight_message": "1", "object_storage_size_threshold": "100"}
    start(stage, **lightweight)
    stage.do("sized", size=SIZE)
    kill()

    start(stage, **lightweight)
    payload = only(stage)
    assert payload["body"] == {}
    assert payload["headers"][OBJECT_ID] in stage.platform.objects


def test_killed_while_a_source_is_read_fault_8_4(stage: StepHarness) -> None:
    kill = held(stage, "GET", "/steward/source", lambda _: (200, b"what is in it"))
    start(stage)
    stage.do("open_attachment", attachment={"url": f"{stage.platform.url}/steward/source"})
    kill()

    start(stage)
    assert only(stage)["body"]["text"] == "what is in it"
