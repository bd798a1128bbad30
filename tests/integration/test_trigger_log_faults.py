"""The trigger containerLogs where logs are hard to read, on engines 20.10 and 28.5: nothing is lost in silence."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.old_and_new_engine import engine
from tests.integration.trigger_lab import desk, engines_closed, settled
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import POSTS, READS, SocketProxy
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.table import record

__all__ = ["engine", "engines_closed"]
pytestmark = pytest.mark.engine
KEY = "containerLogs"
FREE = 10


@pytest.fixture
def clean(engine: LabEngine) -> Iterator[LabEngine]:
    _sweep(engine)
    yield engine
    _sweep(engine)


def _sweep(engine: LabEngine) -> None:
    for entry in engine.wire.do("GET", "/containers/json", all=True).json():
        engine.remove(entry["Id"])


def _all_old(engine: LabEngine) -> bool:
    shown = [entry["Status"] for entry in engine.wire.do("GET", "/containers/json", all=True).json()]
    young = ["1 second ago", *(f"{seconds} seconds ago" for seconds in range(8))]
    return not any("a second ago" in text or text.partition(") ")[2] in young for text in shown)


def texts(emitted: Emitted) -> list[str]:
    return [body["text"] for body in emitted.of("line")]


def reasons(emitted: Emitted) -> list[str]:
    return [body["reason"] for body in emitted.bodies if body["kind"] != "line"]


def note(step: PollHarness, engine: LabEngine, situation: str, truth: list[str]) -> None:
    """A row of the table, with the lines that were written."""
    told = step.told(lambda body: body["text"])
    record(KEY, engine.version, situation, told=told, truth=truth, gap=step.gap)


def written(engine: LabEngine, script: str, name: str, **more: Any) -> str:
    """A container that has run the script to its end."""
    container = engine.run(["sh", "-c", script], name=name, **more)
    engine.wait(container)
    return container


def log_of(engine: LabEngine, container: str) -> Path:
    return Path(engine.wire.do("GET", f"/containers/{container}/json").json()["LogPath"])


def add(log: Path, *lines: tuple[str, str]) -> None:
    """Write as the engine does, with times of our own: what its log has after the clock was set back."""
    with log.open("a", encoding="utf-8") as file:
        for time, text in lines:
            file.write(json.dumps({"log": f"{text}\n", "stream": "stdout", "time": time}) + "\n")


@contextmanager
def watched(step: PollHarness, engine: LabEngine) -> Iterator[SocketProxy]:
    """The step's calls go through a proxy."""
    with SocketProxy(engine.socket, READS, POSTS) as proxy:
        step.config["otherServer"] = proxy.url
        yield proxy
        step.config["otherServer"] = engine.url


def test_fault_9_5_last_lines_of_a_container_removed_between_list_and_read_are_a_gap(
    clean: LabEngine,
) -> None:
    step = desk("container_logs", clean)
    step.poll()
    container = written(clean, "echo unread", "short")
    settled()
    with watched(step, clean) as proxy:
        proxy.before = lambda call: call.endswith("/logs") and clean.remove(container)
        told = step.poll()
        step.replay()
    assert not told.of("line")
    assert [*reasons(told), *reasons(step.poll())] == ["removed"]
    assert reasons(step.poll()) == []
    note(step, clean, "9.5 removed between list and read", ["unread"])


def test_fault_9_6_lines_with_earlier_times_than_those_before_them_are_told(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    container = written(clean, "echo now", "clock")
    log = log_of(clean, container)
    batches = [
        (("10:00:00.1Z", "one"), ("10:00:00.2Z", "two")),
        (("10:00:00.15Z", "a little back"),),
        (("03:00:00Z", "far back"), ("03:00:01Z", "and on")),
        (("03:00:00.5Z", "back again"),),
        (),
        (("11:00:00Z", "caught up"), ("10:59:00Z", "last")),
    ]
    told = texts(step.poll())
    wanted = ["now"]
    for batch in batches:
        add(log, *(("2026-01-02T" + time, text) for time, text in batch))
        clean.wire.do("POST", f"/containers/{container}/start")
        clean.wait(container)
        add(log, *(("2026-01-02T" + time, text) for time, text in batch))
        emitted = step.poll()
        step.replay()
        assert reasons(emitted) == []
        told += texts(emitted)
        wanted += [*(text for _, text in batch), "now", *(text for _, text in batch)]
    assert told == wanted
    note(step, clean, "9.6 times that go back", wanted)


def test_fault_9_6_a_log_far_behind_its_end_is_read_on(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    container = written(clean, "echo first", "long")
    assert texts(step.poll()) == ["first"]
    many = [f"{number}" for number in range(17_000)]
    later = (f"2036-01-02T1{n // 3600}:{n // 60 % 60:02d}:{n % 60:02d}Z" for n in range(len(many)))
    add(log_of(clean, container), *zip(later, many, strict=True))
    clean.wire.do("POST", f"/containers/{container}/start")
    clean.wait(container)
    told: list[str] = []
    while emitted := texts(step.poll(maxBytes="30000")):
        told += emitted
    assert told == [*many, "first"]


def test_fault_9_12_logs_that_cannot_be_read_are_told_once_and_the_others_go_on(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    driver = {"Type": "syslog", "Config": {"syslog-address": "tcp://127.0.0.1:1"}}
    broken = clean.create(name="a-broken", HostConfig={"LogConfig": driver})
    assert clean.wire.ask("POST", f"/containers/{broken}/start").status == 500
    clean.run(name="b-mute", HostConfig={"LogConfig": {"Type": "none"}})
    written(clean, "echo fine", "z-fine")
    settled()
    emitted = step.poll()
    step.replay()
    assert (texts(emitted), reasons(emitted)) == (["fine"], ["unreadable", "unreadable"])
    assert emitted.of("warning")[0]["container"]["name"] == "a-broken"
    again = step.poll()
    assert (texts(again), reasons(again)) == ([], [])
    note(step, clean, "9.12 log drivers that cannot be read", ["fine"])


def test_fault_9_12_a_dead_container_is_told_once_and_the_others_go_on(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    dying = written(clean, "echo unread", "a-dead")
    written(clean, "echo fine", "z-fine")
    with immutable(log_of(clean, dying)):
        assert clean.wire.ask("DELETE", f"/containers/{dying}").status == 500
        settled()
        emitted = step.poll()
        step.replay()
        assert (texts(emitted), reasons(emitted)) == (["fine"], ["unreadable"])
        assert reasons(step.poll()) == []
    clean.remove(dying)
    assert reasons(step.poll()) == ["removed"]
    note(step, clean, "9.12 a container that is dead", ["fine", "unread"])


def chattr(change: str, file: Path) -> None:
    done = subprocess.run(["chattr", change, str(file)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file can be made immutable here: {done.stderr}")


@contextmanager
def immutable(file: Path) -> Iterator[None]:
    """What nobody can remove, the engine neither."""
    chattr("+i", file)
    try:
        yield
    finally:
        chattr("-i", file)


def test_fault_9_12_a_line_of_two_million_nul_is_told_in_parts_and_the_lines_behind_it(
    clean: LabEngine,
) -> None:
    step = desk("container_logs", clean)
    step.poll()
    written(clean, "head -c 2000000 /dev/zero; echo; echo behind", "zero")
    settled()
    lines = [*step.poll().of("line"), *step.poll().of("line")]
    assert "".join(line["text"] for line in lines[:-1]) == "\0" * 2_000_000
    assert [line["part"] for line in lines[:-1]] == list(range(1, len(lines)))
    assert [line["whole"] for line in lines] == [False] * (len(lines) - 2) + [True, True]
    assert lines[-1]["text"] == "behind"
    assert step.poll().bodies == []
    ids = {str(message.id): message.body for message in step.all}
    parts = [(body["text"], one) for one, body in ids.items() if body["text"] != "behind"]
    long = ("".join(text for text, _ in parts), parts[0][1])
    behind = [(body["text"], one) for one, body in ids.items() if body["text"] == "behind"]
    truth = ["\0" * 2_000_000, "behind"]
    record(KEY, clean.version, "9.12 a line of 2,000,000 NUL", told=[long, *behind], truth=truth)


def test_a_line_with_bytes_that_are_no_text_says_so(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    written(clean, r"printf 'caf\303\251\n'; printf 'a\377b\n'", "odd")
    settled()
    lines = step.poll().of("line")
    # json-file itself writes U+FFFD for them, the driver local keeps them
    assert [line["text"] for line in lines] == ["café", "a�b"]


def test_fault_9_12_bytes_that_are_no_text_are_marked(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    local = {"LogConfig": {"Type": "local", "Config": {}}}
    written(clean, r"printf 'caf\303\251\n'; printf 'a\377b\n'", "odd", HostConfig=local)
    settled()
    lines = step.poll().of("line")
    assert [(line["text"], line.get("lossy")) for line in lines] == [("café", None), ("a�b", True)]


@pytest.mark.parametrize("driver", ["json-file", "local"])
@pytest.mark.parametrize("terminal", [False, True])
def test_places_hold_for_each_driver_with_and_without_a_terminal(
    clean: LabEngine, driver: str, terminal: bool
) -> None:
    step = desk("container_logs", clean)
    step.poll()
    lines = "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo line $i; done"
    more = {"HostConfig": {"LogConfig": {"Type": driver, "Config": {}}}, "Tty": terminal}
    script = f"{lines}; head -c 40000 /dev/zero | tr '\\0' x; echo; echo end; sleep 600"
    clean.run(["sh", "-c", script], name="many", **more)

    def log() -> bytes:
        return clean.wire.do("GET", "/containers/many/logs", stdout=True, tail=1).body

    wait_until(lambda: b"end" in log(), "the last line")
    settled()
    told: list[str] = []
    while emitted := texts(step.poll(maxBytes="1000")):
        told += emitted
    assert told == [*(f"line {number}" for number in range(1, 61)), "x" * 40000, "end"]


def test_fault_9_20_recreated_is_not_said_where_the_old_log_was_read_to_its_end(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    old = written(clean, "echo old", "web")
    settled()
    assert texts(step.poll()) == ["old"]
    clean.remove(old)
    written(clean, "echo new", "web")
    settled()
    emitted = step.poll()
    step.replay()
    assert (texts(emitted), reasons(emitted)) == (["new"], [])
    note(step, clean, "9.20 recreated after it was read", ["old", "new"])


def test_fault_9_5_a_container_made_and_removed_between_two_polls_is_a_gap(clean: LabEngine) -> None:
    step = desk("container_logs", clean, names="job*")
    clean.create(name="other")
    settled()
    step.poll()
    for name in ("job1", "unwatched"):
        clean.remove(written(clean, "echo unread", name))
    clean.remove(clean.create(name="job2"))  # it never ran
    settled()
    emitted = step.poll()
    step.replay()
    assert [(body["reason"], body["container"]["name"]) for body in emitted.bodies] == [("removed", "job1")]
    assert step.poll().bodies == []
    note(step, clean, "9.5 made and removed between two polls", ["unread"])


def test_fault_9_5_a_container_that_was_read_ran_again_and_was_removed_is_a_gap(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    job = written(clean, "echo line", "job")
    settled()
    assert texts(step.poll()) == ["line"]
    settled()
    step.poll()
    clean.wire.do("POST", f"/containers/{job}/start")
    clean.wait(job)
    clean.remove(job)
    settled()
    emitted = step.poll()
    assert [(body["reason"], body["container"]["name"]) for body in emitted.bodies] == [("removed", "job")]
    assert step.poll().bodies == []


def test_fault_9_23_ended_logs_that_were_read_cost_no_call(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    step.poll()
    ended = [written(clean, f"echo {number}", f"ended{number}") for number in range(12)]
    for number in range(40):
        clean.create(["true"], name=f"created{number}")
    # What ended seconds before a poll is asked once more by the next one: its age proves nothing yet.
    wait_until(lambda: _all_old(clean), "the ended containers to be some seconds old")
    assert len(texts(step.poll())) == len(ended)
    settled()
    with watched(step, clean) as proxy:
        assert step.poll().bodies == []
    # Pings apart: on a slow machine the events are read once more, which asks for the engine's time.
    assert len([call for call in proxy.calls if "/_ping" not in call]) <= FREE
    clean.wire.do("POST", f"/containers/{ended[3]}/start")
    clean.wait(ended[3])
    settled()
    with watched(step, clean) as proxy:
        assert texts(step.poll()) == ["3"]
    # Pings apart: on a slow machine the events are read once more, which asks for the engine's time.
    assert len([call for call in proxy.calls if "/_ping" not in call]) <= FREE
    situation = f"9.23 {len(proxy.calls)} calls for 52 ended containers, one ran again"
    note(step, clean, situation, [*(str(number) for number in range(12)), "3"])


def test_fault_9_23_a_log_is_read_without_asking_for_its_terminal(clean: LabEngine) -> None:
    step = desk("container_logs", clean)
    for number in range(3):
        clean.run(name=f"running{number}", Tty=number == 1)
    with watched(step, clean) as proxy:
        step.poll()
    assert [
        call for call in proxy.calls if call.startswith("GET /containers/") and call.endswith("/json")
    ] == ["GET /containers/json"]
