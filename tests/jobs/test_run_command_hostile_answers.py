"""RunCommand and what is no answer of an engine; and what an engine's memory proves, on one whose memory is told."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lib.job.command.record import Mark
from lib.job.repeat import spec_of
from lib.sailor.message.ids import derived_id
from tests.actions.stepping import forget_engines, run_step
from tests.engine.scripted import Act, Scripted, answer, chunked, say, say_and_close

KEY = "RunCommand"
WISH = {"target": "web", "command": ["true"]}
ID, EXEC, OTHER = "a" * 64, "e" * 64, "f" * 64
CONTAINER = {
    "Id": ID,
    "Name": "/web",
    "State": {"Status": "running"},
    "Config": {"Image": "web:1", "Labels": {}},
    "ExecIDs": None,
}
NOW = 1_790_000_000
SECOND = 10**9
DATE = b"HTTP/1.1 200 OK\r\nDate: Mon, 21 Sep 2026 14:13:20 GMT\r\nContent-Length: 2\r\n\r\n"
ODD: list[Any] = [5, [], {}, "text", [5], None]
GONE = say(answer(b'{"message": "No such exec instance"}', "404 Not Found"))
STREAM = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


class _Run:
    def __init__(self, identity: str) -> None:
        self.id = identity


MARK = Mark.of(_Run(derived_id("job", KEY, "local/step_1", "m")), spec_of({"command": ["true"]}))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    yield
    forget_engines()


def told(value: Any, status: str = "200 OK") -> Act:
    return say(answer(json.dumps(value).encode(), status))


def record(identity: str, **more: Any) -> dict[str, Any]:
    keys = base64.b64encode((MARK.run + MARK.spec).encode()).decode()
    whole = {"ID": identity, "ContainerID": ID, "Running": False, "ExitCode": 0, "Pid": 7, "DetachKeys": keys}
    return whole | more


def created(identity: str, seconds: float, text: str = "true ", **more: Any) -> dict[str, Any]:
    """The event of an exec that was made so many seconds after NOW."""
    attributes = {"execID": identity, "name": "web", **more}
    actor = {"ID": ID, "Attributes": attributes}
    time = int((NOW + seconds) * SECOND)
    return {"Type": "container", "Action": f"exec_create: {text}", "Actor": actor, "timeNano": time}


def other(seconds: float) -> dict[str, Any]:
    return {
        "Type": "image",
        "Action": "pull",
        "Actor": {"ID": "x"},
        "timeNano": int((NOW + seconds) * SECOND),
    }


def outcome(
    folder: Path,
    *acts: Act,
    made: Any = None,
    redelivered: bool = False,
    headers: Mapping[str, Any] | None = None,
    **settings: Any,
) -> tuple[Any, list[str]]:
    headers = {"messageId": "m", **(headers or {})} | ({} if made is None else {"start": made})
    with Scripted(folder, *acts) as server:
        config = {"server": "2", "otherServer": server.url, "errorPolicy": "emit", **settings}
        found = run_step(KEY, WISH, config, headers=headers, redelivered=redelivered)
        (body,) = found.bodies
        return body, [b" ".join(request.split()[:2]).decode() for request in server.requests]


def started(requests: list[str]) -> list[str]:
    return [one for one in requests if one.endswith("/start")]


FIRST: tuple[Act, ...] = (told(CONTAINER), told({"Id": EXEC}, "201 Created"))
EVENTS = say(chunked(created(EXEC, 0)))
SAID = say_and_close(STREAM + b"\1\0\0\0\0\0\0\3hi\n")


def test_the_fake_engine_lets_a_command_succeed(tmp_path: Path) -> None:
    body, requests = outcome(tmp_path, *FIRST, EVENTS, SAID, told(record(EXEC)))
    assert (body["exitCode"], body["stdout"], len(started(requests))) == (0, "hi\n", 1)


@pytest.mark.parametrize(
    "found", [*ODD, {**CONTAINER, "State": 5}, {**CONTAINER, "Config": 5}], ids=json.dumps
)
def test_a_container_that_is_none_fails(tmp_path: Path, found: Any) -> None:
    body, requests = outcome(tmp_path, told(found))
    assert (body["error"]["name"], started(requests)) == ("EngineFault", [])


@pytest.mark.parametrize("answered", ODD, ids=json.dumps)
def test_an_exec_that_is_none_fails(tmp_path: Path, answered: Any) -> None:
    body, requests = outcome(tmp_path, told(CONTAINER), told(answered, "201 Created"))
    assert (body["error"]["name"], started(requests)) == ("EngineFault", [])


@pytest.mark.parametrize(
    "events",
    [
        say(answer(b'{"message": "no events here"}', "403 Forbidden")),
        say(answer(b"no JSON")),
        say(chunked({})),
        say(chunked({"Action": 5}, {"Action": "exec_create: true ", "Actor": 5}, {"Action": "exec_create"})),
        say(chunked({"Action": "exec_create", "Actor": {"ID": ID, "Attributes": 5}, "timeNano": "x"})),
        say(chunked(created("", 0), created(EXEC, 0) | {"timeNano": {}})),
    ],
    ids=["refused", "no JSON", "empty", "odd", "odd actor", "odd time"],
)
def test_events_that_are_none_hold_a_first_delivery_up_for_nothing(tmp_path: Path, events: Act) -> None:
    body, requests = outcome(tmp_path, *FIRST, events, SAID, told(record(EXEC)))
    assert (body["exitCode"], len(started(requests))) == (0, 1)


@pytest.mark.parametrize(
    "inspected", [*ODD, record(OTHER, ExitCode="x"), record(OTHER, Pid="x")], ids=json.dumps
)
def test_another_command_that_is_none_fails_before_the_start(tmp_path: Path, inspected: Any) -> None:
    both = say(chunked(created(OTHER, -1), created(EXEC, 0)))
    body, requests = outcome(tmp_path, *FIRST, both, told(inspected))
    assert (body["error"]["name"], started(requests)) == ("EngineFault", [])


@pytest.mark.parametrize(
    "keys", ["*", "AAAA", 5, None, {}, base64.b64encode(b"\xff" * 30).decode()], ids=json.dumps
)
def test_marks_of_others_are_none_of_ours(tmp_path: Path, keys: Any) -> None:
    both = say(chunked(created(OTHER, -1), created(EXEC, 0)))
    acts = (both, told(record(OTHER, DetachKeys=keys)), SAID, told(record(EXEC)))
    body, requests = outcome(tmp_path, *FIRST, *acts)
    assert (body["stdout"], started(requests)) == ("hi\n", [f"POST /v1.41/exec/{EXEC}/start"])


def test_of_two_at_once_the_first_one_counts(tmp_path: Path) -> None:
    """Another delivery made its exec before ours and has started it meanwhile."""
    both = say(chunked(created(OTHER, -1), created(EXEC, 0)))
    ended = told(record(OTHER, ExitCode=0))
    body, requests = outcome(tmp_path, *FIRST, both, ended, ended, ended)
    assert (body["repeat"], body["outputLost"], started(requests)) == (True, True, [])


@pytest.mark.parametrize("code", [126, 127])
def test_a_repeat_of_what_never_ran_is_prepared_anew(tmp_path: Path, code: int) -> None:
    refused = told(record(OTHER, Pid=0, ExitCode=code))
    both = say(chunked(created(OTHER, -1), created(EXEC, 0)))
    acts = (told(CONTAINER), say(DATE), say(chunked(created(OTHER, -1))), told(CONTAINER), refused)
    acts += (told({"Id": EXEC}, "201 Created"), both, refused, SAID, told(record(EXEC)))
    body, requests = outcome(tmp_path, *acts, redelivered=True)
    assert (body["stdout"], started(requests)) == ("hi\n", [f"POST /v1.41/exec/{EXEC}/start"])


def test_a_memory_that_is_too_large_to_be_read_proves_nothing(tmp_path: Path) -> None:
    long = [other(-61) | {"Actor": {"ID": "x", "Attributes": {"label": "x" * 1_900_000}}} for _ in range(5)]
    acts = (told(CONTAINER), say(DATE), say(chunked(*long)), told(CONTAINER))
    body, requests = outcome(tmp_path, *acts, made=NOW * 1000, redelivered=True)
    assert (body["error"]["name"], started(requests)) == ("NotSettled", [])


@pytest.mark.parametrize("reason", ["", "No command has begun", f"No command has begun ({MARK.unbegun})"])
def test_word_of_a_delivery_that_has_begun_nothing_counts_if_it_is_its_own(
    tmp_path: Path, reason: str
) -> None:
    ours = MARK.unbegun in reason
    acts = [told(CONTAINER), say(DATE), say(chunked()), told(CONTAINER)]
    if ours:
        acts += [told({"Id": EXEC}, "201 Created"), EVENTS, SAID, told(record(EXEC))]
    headers = {"reboundIteration": 1, "reboundReason": reason}
    body, requests = outcome(tmp_path, *acts, headers=headers)
    if ours:
        assert (body["exitCode"], len(started(requests))) == (0, 1)
    else:
        assert (body["error"]["name"], started(requests)) == ("NotSettled", [])


def test_a_mark_tells_nothing_of_what_it_was_made_of() -> None:
    """Not even to who can guess the input: the id of the run is longer than what the engine sees of it."""
    one, other_ = (
        Mark.of(_Run(f"00000000-0000-8000-8000-00000000000{digit}"), "wish")  # type: ignore[arg-type]
        for digit in (1, 2)
    )
    assert one.run == other_.run
    assert one.spec != other_.spec
    assert one.unbegun != other_.unbegun


@pytest.mark.parametrize("last", [*ODD, record(EXEC, ExitCode="x")], ids=json.dumps)
def test_an_end_that_is_none_fails(tmp_path: Path, last: Any) -> None:
    body, _ = outcome(tmp_path, *FIRST, EVENTS, SAID, told(last))
    assert body["error"]["name"] == "EngineFault"


def test_a_lost_answer_of_the_start_is_looked_into(tmp_path: Path) -> None:
    runs = told(record(EXEC, Running=True, ExitCode=None))
    ended = told(record(EXEC, ExitCode=0))
    body, requests = outcome(tmp_path, *FIRST, EVENTS, say_and_close(b""), runs, runs, ended)
    assert (body["exitCode"], body["outputLost"], body["repeat"], body["changed"]) == (0, True, False, True)
    assert len(started(requests)) == 1


def test_a_start_that_was_lost_on_its_way_comes_again(tmp_path: Path) -> None:
    """The message comes back, and then starts the same exec: the engine lets only one start through."""
    fresh = told(record(EXEC, Running=False, ExitCode=None, Pid=0))
    body, requests = outcome(tmp_path, *FIRST, EVENTS, say_and_close(b""), fresh)
    assert (body["error"]["name"], len(started(requests))) == ("NoAnswer", 1)


def test_an_output_that_is_cut_is_told_with_the_code(tmp_path: Path) -> None:
    cut = say_and_close(STREAM + b"\1\0\0\0\0\0\0\3hi\n\1\0\0\0\0\0\0\x09half")
    body, _ = outcome(tmp_path, *FIRST, EVENTS, cut, told(record(EXEC)))
    assert (body["stdout"], body["outputLost"], body["exitCode"]) == ("hi\n", True, 0)


@pytest.mark.parametrize(
    ("told_by_event", "name"),
    [("0", "ok"), ("3", "BadExit"), ("x", "NotSettled"), (None, "NotSettled"), (5, "BadExit")],
)
def test_a_code_that_may_be_none_is_looked_for_in_the_events(
    tmp_path: Path, told_by_event: Any, name: str
) -> None:
    actor = {"ID": ID, "Attributes": {"execID": EXEC, "exitCode": told_by_event}}
    died = {"Type": "container", "Action": "exec_die", "Actor": actor, "timeNano": NOW * SECOND}
    cut = say_and_close(STREAM + b"\1\0\0\0\0\0\0\x09half")
    acts = (EVENTS, cut, told(record(EXEC, ExitCode=126)), say(DATE), say(chunked(died)))
    body, _ = outcome(tmp_path, *FIRST, *acts)
    assert body["error"]["name"] == name if name != "ok" else body["ok"]


@pytest.mark.parametrize(
    ("made", "events", "runs"),
    [
        (NOW * 1000, [other(-61)], True),
        (NOW * 1000, [other(-59)], False),
        (NOW * 1000, [], False),
        (None, [other(-61)], False),
        ("x", [other(-61)], False),
        (NOW * 1000, [other(-61), created(OTHER, 1)], False),
        (NOW * 1000, [other(-90), created(OTHER, -61)], True),
        (NOW * 1000, [other(-61), created(OTHER, 1, "false ")], True),
        (NOW * 1000, [other(-61), created(OTHER, 1, "")], False),
        (NOW * 1000, [other(-61), created(OTHER, 1, name="db") | {"Actor": {"ID": "b" * 64}}], True),
    ],
    ids=[
        "it remembers from before the message",
        "too little before it",
        "it remembers nothing",
        "nobody tells when the message was made",
        "that is no time",
        "a command like it is forgotten",
        "one before the message",
        "another command",
        "its text is unknown",
        "in another container",
    ],
)
def test_a_repeat_runs_it_where_the_memory_proves_that_it_has_not_run(
    tmp_path: Path, made: Any, events: list[Mapping[str, Any]], runs: bool
) -> None:
    looks = [GONE for event in events if event.get("Actor", {}).get("ID") == ID]
    acts = [told(CONTAINER), say(DATE), say(chunked(*events)), told(CONTAINER), *looks]
    if runs:
        acts += [told({"Id": EXEC}, "201 Created"), EVENTS, SAID, told(record(EXEC))]
    body, requests = outcome(tmp_path, *acts, made=made, redelivered=True)
    if runs:
        assert (body["exitCode"], body["repeat"], len(started(requests))) == (0, False, 1)
    else:
        assert (body["error"]["name"], started(requests)) == ("NotSettled", [])
