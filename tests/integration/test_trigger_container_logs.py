"""The trigger containerLogs on a real engine: fragments, rotation, recreation, kills."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from lib.trigger.cursor import LIMIT, CursorTooLarge
from tests.integration.trigger_lab import config, desk, engines_closed, own_engine, settled
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import Emitted, PollHarness, size
from tests.triggers.poller import Poller, stored
from tests.triggers.poller import emitted as on_disk
from tests.triggers.table import record

__all__ = ["engines_closed", "own_engine"]
pytestmark = pytest.mark.engine
KEY = "containerLogs"


def texts(emitted: Emitted) -> list[str]:
    return [body["text"] for body in emitted.of("line")]


def note(step: PollHarness, engine: LabEngine, situation: str, truth: list[str]) -> None:
    """A row of the table, with the lines that were written."""
    told = step.told(lambda body: body["text"])
    record(KEY, engine.version, situation, told=told, truth=truth, gap=step.gap)


def written(engine: LabEngine, script: str, name: str, **settings: Any) -> str:
    """A container that has run the script to its end."""
    container = engine.run(["sh", "-c", script], name=name, **settings)
    engine.wait(container)
    return container


def written_so_far(engine: LabEngine, name: str) -> int:
    """How many lines a container's log has."""
    return engine.wire.do("GET", f"/containers/{name}/logs", stdout=True).body.count(b"\n")


@pytest.fixture
def clean(own_engine: LabEngine) -> Any:
    yield own_engine
    for entry in own_engine.wire.do("GET", "/containers/json", all=True).json():
        own_engine.remove(entry["Id"])


def test_a_new_container_is_read_from_its_first_line_and_two_polls_tell_nothing_twice(
    clean: LabEngine,
) -> None:
    step = desk("container_logs", clean)
    step.poll()
    written(clean, "echo one; echo two >&2; sleep 0.1; echo three", "talker", Labels={"team": "shop"})
    settled()
    emitted = step.poll()
    step.replay()
    assert sorted(texts(emitted)) == ["one", "three", "two"]
    assert {body["stream"] for body in emitted.bodies} == {"stdout", "stderr"}
    assert emitted.bodies[0]["container"]["labels"] == {"team": "shop"}
    assert step.poll().bodies == []
    note(step, clean, "new container, two polls in a row", ["one", "two", "three"])


def test_the_first_run_starts_now_or_at_the_beginning(clean: LabEngine) -> None:
    written(clean, "echo old", "earlier")
    settled()
    assert texts(desk("container_logs", clean).poll()) == []
    assert texts(desk("container_logs", clean, startFrom="everything").poll()) == ["old"]
    since = str(int(time.time()) - 3600)
    assert texts(desk("container_logs", clean, startFrom="since", since=since).poll()) == ["old"]


def test_long_lines_in_fragments_of_one_time_are_joined(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    script = "head -c 40000 /dev/zero | tr '\\0' x; echo; echo short"
    written(clean, script, "long")
    settled()
    assert [len(text) for text in texts(step.poll())] == [40000, 5]
    step.replay()
    assert step.poll().bodies == []
    note(step, clean, "40 000 bytes in three fragments of one time", ["x" * 40000, "short"])


def test_a_terminals_lines_are_read_too(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    written(clean, "echo first; head -c 40000 /dev/zero | tr '\\0' y; echo; echo last", "tty", Tty=True)
    settled()
    assert [len(text) for text in texts(step.poll())] == [5, 40000, 4]
    assert step.poll().bodies == []


def test_a_last_line_without_an_end_is_told(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    written(clean, "echo whole; printf 'no end'", "partial")
    settled()
    emitted = step.poll()
    step.replay()
    assert [(body["text"], body["whole"]) for body in emitted.bodies] == [("whole", True), ("no end", False)]
    assert step.poll().bodies == []
    note(step, clean, "partial last line", ["whole", "no end"])


def test_the_pattern_and_the_stream_may_change_without_a_reset(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    written(clean, "echo ERROR one; echo fine; echo ERROR two >&2", "mixed")
    settled()
    assert texts(step.poll(pattern="^ERROR", stream="stderr")) == ["ERROR two"]
    assert texts(step.poll()) == []


def test_a_log_that_rotated_away_is_a_gap(clean: LabEngine) -> None:
    limits = {"LogConfig": {"Type": "json-file", "Config": {"max-size": "5k", "max-file": "2"}}}
    step = desk("container_logs", clean)
    step.poll()
    busy = "i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo line $i; done"
    script = f"echo first; while [ ! -e /tmp/go ]; do usleep 50000; done; {busy}"
    container = clean.run(["sh", "-c", script], name="rotating", HostConfig=limits)
    wait_until(lambda: written_so_far(clean, "rotating"), "the first line")
    settled()
    assert texts(step.poll()) == ["first"]
    made = clean.wire.do("POST", f"/containers/{container}/exec", {"Cmd": ["touch", "/tmp/go"]}).json()["Id"]
    clean.wire.do("POST", f"/exec/{made}/start", {"Detach": True})
    clean.wait(container)
    settled()
    emitted = step.poll()
    step.replay()
    assert [gap["reason"] for gap in emitted.of("gap")] == ["rotated"]
    assert texts(emitted)[-1] == "line 500"
    assert len(texts(emitted)) < 500
    note(step, clean, "log rotated away", ["first", *(f"line {number}" for number in range(1, 501))])


def test_a_recreated_container_is_a_gap_and_the_new_one_is_read_from_its_start(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    old = clean.run(["sh", "-c", "echo old; sleep 600"], name="web")
    wait_until(lambda: written_so_far(clean, "web"), "the line")
    settled()
    assert texts(step.poll()) == ["old"]
    clean.remove(old)
    clean.run(["sh", "-c", "echo new; sleep 600"], name="web")
    wait_until(lambda: written_so_far(clean, "web"), "the line")
    settled()
    emitted = step.poll()
    step.replay()
    assert [gap["reason"] for gap in emitted.of("gap")] == ["recreated"]
    assert texts(emitted) == ["new"]
    note(step, clean, "container recreated", ["old", "new"])


def test_a_running_container_that_is_removed_is_a_gap_and_an_ended_one_is_none(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    ended = written(clean, "echo bye", "ended")
    running = clean.run(["sh", "-c", "echo hello; sleep 600"], name="running")
    wait_until(lambda: written_so_far(clean, "running"), "the line")
    settled()
    assert sorted(texts(step.poll())) == ["bye", "hello"]
    clean.remove(ended)
    clean.remove(running)
    emitted = step.poll()
    assert [gap["reason"] for gap in emitted.bodies] == ["removed"]
    assert running.startswith(emitted.bodies[0]["container"]["id"])


def test_a_driver_that_cannot_be_read_is_warned_of_once(clean: LabEngine) -> None:
    clean.run(name="mute", HostConfig={"LogConfig": {"Type": "none"}})
    step = desk("container_logs", clean)
    assert [body["reason"] for body in step.poll().bodies] == ["unreadable"]
    assert step.poll().bodies == []


def test_the_limit_of_bytes_is_shared_and_the_rest_comes_next_time(clean: LabEngine) -> None:
    step = desk("container_logs", clean, maxBytes="4000")
    step.poll()
    loud = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo loud line $i; done"
    written(clean, loud, "a-loud")
    written(clean, "echo quiet", "z-quiet")
    settled()
    told: list[str] = []
    rounds = 0
    while emitted := texts(step.poll()):
        rounds += 1
        assert rounds > 1 or "quiet" in emitted
        told += [text for text in emitted if text != "quiet"]
        step.replay()
    assert told == [f"loud line {number}" for number in range(1, 301)]
    assert rounds >= 2
    note(step, clean, f"limit of 4 000 bytes, {rounds} polls", [*told, "quiet"])


def test_every_snapshot_on_the_way_is_a_good_start(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    starts = []
    clean.run(["sh", "-c", "i=0; while true; do i=$((i+1)); echo n $i; sleep 0.05; done"], name="counter")
    told: list[str] = []
    for number in range(1, 6):
        starts.append((len(told), step.snapshot))
        wait_until(lambda lines=number * 15: written_so_far(clean, "counter") >= lines, "more lines")
        told += texts(step.poll())
    settled()
    for passed, start in starts:
        again = PollHarness("container_logs", config(clean), start).poll()
        lines = texts(again)
        assert again.of("gap") == []
        assert lines[: len(told) - passed] == told[passed:]
    assert told == [f"n {number}" for number in range(1, len(told) + 1)]


def test_under_load_with_kills_no_line_is_lost(clean: LabEngine, tmp_path: Path) -> None:
    poller = Poller("container_logs", config(clean), tmp_path)
    wait_until(lambda: stored(tmp_path), "the first poll")
    script = "i=0; while [ $i -lt 250 ]; do i=$((i+1)); echo out $i; echo err $i >&2; usleep 20000; done"
    container = clean.run(["sh", "-c", script], name="steady")
    for _ in range(6):
        count = len(on_disk(tmp_path))
        wait_until(lambda count=count: len(on_disk(tmp_path)) > count, "a message")
        poller.kill()
    clean.wait(container)
    settled()
    messages = poller.finish()
    lines = [one for one in messages if one["body"]["kind"] == "line"]
    told = [((one["body"]["stream"], one["body"]["text"]), one["id"]) for one in lines]
    wanted = {(stream, f"{stream[3:]} {n}") for stream in ("stdout", "stderr") for n in range(1, 251)}
    record(KEY, clean.version, f"load, {poller.kills} x SIGKILL", told=told, truth=wanted)


def test_eighty_logs_fit_into_the_snapshot_and_too_many_are_refused(clean: LabEngine) -> None:
    for number in range(80):
        clean.create(["true"], name=f"log{number}")
    step = desk("container_logs", clean)
    step.poll()
    assert size(step.snapshot) < LIMIT
    note(step, clean, f"snapshot of 80 logs: {size(step.snapshot)} bytes", [])
    for number in range(80, 280):
        clean.create(["true"], name=f"log{number}")
    before = step.snapshot
    with pytest.raises(CursorTooLarge, match="Narrow the filter"):
        step.poll()
    assert step.snapshot == before
    assert step.poll(names="log1*").errors == []  # 111 of them


def test_a_try_out_gives_the_last_line(clean: LabEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    step = desk("container_logs", clean)
    monkeypatch.setenv("ELASTICIO_FLOW_TYPE", "debug")
    assert [body["sample"] for body in step.poll().bodies] == [True]
    written(clean, "echo one; echo two", "talker")
    settled()
    assert texts(step.poll()) == ["two"]
