"""What becomes of a message when the engine says no, says nothing, or fails half way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.actions.conftest import Run
from tests.actions.stepping import Outcome
from tests.engine.scripted import END, HEAD, answer, chunked, piece, say, say_and_close
from tests.engine.traces import IMAGE, log, record, vertex, warning

NOT_FOUND = answer(b'{"message":"no such container: web"}', "404 Not Found")
CONFLICT = answer(b'{"message":"it is paused"}', "409 Conflict")
FAULT = answer(b'{"message":"out of disk"}', "500 Internal Server Error")
NO_MANAGER = answer(b'{"message":"This node is not a swarm manager."}', "503 Service Unavailable")


def names(outcome: Outcome) -> list[str]:
    return [error["name"] for error in outcome.errors]


WEB = {"id": "web"}


def test_what_is_not_there_is_an_error_or_an_empty_result(run: Run) -> None:
    outcome = run("ContainerInspect", WEB, say(NOT_FOUND))
    assert names(outcome) == ["NotFound"]
    assert "no such container: web [404 GET /v1.41/containers/web/json]" in outcome.errors[0]["message"]
    outcome = run("ContainerInspect", WEB, say(NOT_FOUND), notFound="emitEmpty")
    assert (outcome.errors, outcome.bodies) == ([], [{}])


@pytest.mark.parametrize("policy", ["byComponent", "throwError"])
def test_a_conflict_is_an_error(run: Run, policy: str) -> None:
    assert names(run("ContainerPause", WEB, say(CONFLICT), errorPolicy=policy)) == ["Conflict"]


def test_a_conflict_is_tried_again_later_when_asked_for(run: Run) -> None:
    outcome = run("ContainerPause", WEB, say(CONFLICT), errorPolicy="rebound")
    assert outcome.errors == []
    assert "it is paused" in outcome.rebounds[0]


def test_an_error_as_data_has_all_that_a_flow_needs(run: Run) -> None:
    (body,) = run("ContainerPause", WEB, say(CONFLICT), errorPolicy="emit").bodies
    assert body["error"].pop("hint")
    assert body == {
        "error": {
            "name": "Conflict",
            "message": "it is paused",
            "status": 409,
            "method": "POST",
            "path": "/v1.41/containers/web/pause",
        }
    }


def test_a_fault_of_a_read_is_repeated_then_the_message_comes_again(run: Run) -> None:
    outcome = run("ContainerInspect", WEB, say(FAULT), say(FAULT), say(FAULT))
    assert (outcome.errors, len(outcome.rebounds)) == ([], 1)
    outcome = run("ContainerInspect", WEB, say(FAULT), say(FAULT), say(answer(b'{"Id":"x"}')))
    assert outcome.bodies == [{"Id": "x"}]


def test_a_fault_of_a_write_is_an_error_at_once(run: Run) -> None:
    outcome = run("ContainerKill", WEB, say(FAULT))
    assert names(outcome) == ["EngineFault"]
    assert len(run.requests) == 1  # type: ignore[attr-defined]


def test_an_engine_that_is_no_manager_says_what_to_do(run: Run) -> None:
    outcome = run("SwarmInspect", {}, say(NO_MANAGER), errorPolicy="throwError")
    assert names(outcome) == ["NoManager"]
    assert "SwarmInit" in outcome.errors[0]["message"]


def test_a_write_that_a_busy_server_refused_comes_again_later(run: Run) -> None:
    """Fault 8.20: 429 failed at once."""
    busy = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 4\r\n\r\nbusy"
    outcome = run("ContainerKill", WEB, say(busy))
    assert (outcome.errors, len(outcome.rebounds)) == ([], 1)
    assert names(run("ContainerKill", WEB, say(busy), errorPolicy="throwError")) == ["Busy"]


def test_what_fails_again_does_not_come_again(run: Run) -> None:
    """Fault 8.20: 501 and "no basic auth credentials" came again and again."""
    logs = answer(b'{"message":"configured logging driver does not support reading"}', "501 Not Implemented")
    tty = answer(b'{"Config":{"Tty":false}}')
    assert names(run("ContainerLogs", WEB, say(tty), say(logs))) == ["NotSupported"]
    login = answer(b'{"message":"no basic auth credentials"}', "500 Internal Server Error")
    assert names(run("DistributionInspect", {"name": "r.lab/x"}, say(login))) == ["Unauthorized"]


def test_a_path_that_is_unknown_is_no_missing_object(run: Run) -> None:
    """Fault 8.20: with emitEmpty, an address with a wrong path said that every container is absent."""
    unknown = answer(b"404 page not found\n", "404 Not Found", "text/plain")
    assert names(run("ContainerInspect", WEB, say(unknown), notFound="emitEmpty")) == ["NoSuchOperation"]


@pytest.mark.parametrize("policy", ["byComponent", "throwError", "rebound"])
@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 201 Crea", b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_write_without_an_answer_is_never_repeated(run: Run, policy: str, said: bytes) -> None:
    body = {"requestBody": {"Image": "x"}}
    outcome = run("ContainerCreate", body, say_and_close(said), errorPolicy=policy)
    assert names(outcome) == ["OutcomeUnknown"]
    assert outcome.rebounds == []
    assert len(run.requests) == 1  # type: ignore[attr-defined]
    assert "may or may not" in outcome.errors[0]["message"]


def test_a_read_without_an_answer_is_repeated(run: Run) -> None:
    outcome = run("ContainerList", {}, say_and_close(b""), say(answer(b"[]")))
    assert outcome.bodies == [{"results": []}]


BUILD = {"dockerfileText": "FROM x\n"}
STEP = {"stream": "Step 1/2 : RUN make\n"}
BAD = {"errorDetail": {"code": 2, "message": "make failed"}, "error": "make failed"}
DONE = {"stream": "Successfully built 0123456789ab\n"}


@pytest.mark.parametrize(
    "records",
    [[BAD], [BAD, STEP, DONE], [STEP, BAD, DONE], [STEP, DONE, BAD], [STEP, {"error": "make failed"}]],
)
def test_an_error_in_the_stream_fails_the_step_wherever_it_stands(run: Run, records: list[Any]) -> None:
    outcome = run("ImageBuild", BUILD, say(chunked(*records)))
    assert names(outcome) == ["StreamFailed"]
    assert "make failed" in outcome.errors[0]["message"]
    assert outcome.bodies == []


def test_an_error_without_a_line_end_counts_too(run: Run) -> None:
    last = HEAD + piece(json.dumps(STEP).encode() + b"\n") + piece(json.dumps(BAD).encode()) + END
    outcome = run("ImageBuild", BUILD, say(last))
    assert names(outcome) == ["StreamFailed"]
    assert "RUN make" in outcome.errors[0]["message"]


def test_an_error_is_told_although_the_stream_is_cut_after_it(run: Run) -> None:
    assert names(run("ImageBuild", BUILD, say_and_close(chunked(STEP, BAD, end=b"")))) == ["StreamFailed"]


@pytest.mark.parametrize("policy", ["byComponent", "rebound"])
def test_work_whose_stream_is_cut_has_an_unknown_outcome(run: Run, policy: str) -> None:
    outcome = run("ImageBuild", BUILD, say_and_close(chunked(STEP, end=b"")), errorPolicy=policy)
    assert names(outcome) == ["OutcomeUnknown"]


MAKE = record(vertex("a", "[2/2] RUN make", 1), log("a", b"compiling\nbroken\n"))
BROKEN = 'process "make" did not complete successfully: exit code: 2'
NO_SESSION = say(answer(b'{"message":"page not found"}', "404 Not Found"))
FAILED = record(vertex("a", "[2/2] RUN make", 1, 2, error=BROKEN))


def test_a_failed_buildkit_build_tells_step_exit_code_and_last_lines(run: Run) -> None:
    said = say(chunked(MAKE, FAILED, {"errorDetail": {"message": BROKEN}, "error": BROKEN}))
    outcome = run("ImageBuild", BUILD | {"version": "2"}, NO_SESSION, NO_SESSION, said)
    assert names(outcome) == ["StreamFailed"]
    assert "Step [2/2] RUN make ended with exit code 2" in outcome.errors[0]["message"]
    assert "compiling\nbroken" in outcome.errors[0]["message"]


def test_a_buildkit_build_emits_lines_one_record_each(run: Run) -> None:
    said = say(chunked(MAKE, record(vertex("a", ended=2)), IMAGE))
    *progress, result = run(
        "ImageBuild", BUILD | {"version": "2"}, NO_SESSION, NO_SESSION, said, emitBehavior="emitIndividually"
    ).bodies
    assert [body["progress"] for body in progress] == [
        {"stream": "#1 [2/2] RUN make\n#1 compiling\n#1 broken\n"},
        {"stream": "#1 DONE 0.0s\n"},
        IMAGE,
    ]
    assert result["builder"] == "buildkit"


def test_a_buildkit_build_that_ends_bare_has_an_unknown_outcome(run: Run) -> None:
    assert names(run("ImageBuild", BUILD | {"version": "2"}, NO_SESSION, NO_SESSION, say(chunked(MAKE)))) == [
        "OutcomeUnknown"
    ]


@pytest.mark.parametrize(
    "status", ["403 Forbidden", "404 Not Found", "405 Method Not Allowed", "501 Not Implemented"]
)
def test_without_a_session_a_build_goes_on_unless_it_needs_one(run: Run, status: str) -> None:
    refusal = say(answer(b'{"message":"by administrative rules"}', status))
    back = "no active sessions"
    asked = say(chunked(MAKE, {"errorDetail": {"message": back}, "error": back}))
    assert run("ImageBuild", BUILD | {"version": "2"}, refusal, refusal, say(chunked(MAKE, IMAGE))).bodies
    (error,) = run("ImageBuild", BUILD | {"version": "2"}, refusal, refusal, asked).errors
    assert f"POST /session was answered with {status[:3]}" in error["message"]
    (error,) = run("ImageBuild", BUILD | {"secrets": {"a": "hush-hush"}}, refusal, refusal).errors
    assert "secrets cannot be given" in error["message"]
    assert [request.split()[1] for request in run.requests] == [b"/v1.41/session", b"/v1.41/grpc"]


def test_a_fault_of_the_engine_opens_no_session_and_starts_no_build(run: Run) -> None:
    outcome = run("ImageBuild", BUILD | {"version": "2"}, say(FAULT), errorPolicy="throwError")
    assert names(outcome) == ["EngineFault"]
    assert len(run.requests) == 1


def test_a_session_of_another_program_is_used_as_it_is(run: Run) -> None:
    body = BUILD | {"version": "2", "session": "theirs"}
    assert run("ImageBuild", body, say(chunked(MAKE, IMAGE))).bodies
    assert b"session=theirs" in run.requests[0]


def test_what_a_build_prints_of_its_secrets_is_hidden(run: Run) -> None:
    secret = "line one of it\nline two of it"
    body = BUILD | {"version": "2", "session": "x", "secrets": {"key": secret, "lines": "lines"}}
    shown = record(
        vertex("a", "RUN echo line one of it", 1),
        log("a", b"before line two of it after\nbGluZSBvbmUgb2YgaXQKbGluZSB0d28gb2YgaXQ=\n"),
        warning("Rule: line two of it"),
    )
    for settings in ({}, {"emitBehavior": "emitIndividually"}):
        outcome = run("ImageBuild", body, say(chunked(shown, IMAGE)), **settings)
        text = json.dumps(outcome.bodies)
        assert "line two" not in text
        assert "line one" not in text
        assert "bGluZSBvbmU" not in text
        assert len(outcome.bodies[-1]["lines"]) == 3
    failed = say(chunked(shown, {"errorDetail": {"message": "line two of it"}}))
    assert "line two" not in str(run("ImageBuild", body, failed).errors)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"version": "1", "secrets": {"a": "hush-hush"}}, "needs builder version 2"),
        ({"version": "1", "ssh": "hush-hush"}, "needs builder version 2"),
        ({"outputs": [{"type": "tar"}, {"type": "oci"}]}, "engines take one"),
        ({"outputs": [{"type": "zip"}]}, "It is one of tar"),
        ({"outputs": [{"type": "image", "name": {}}]}, "no text"),
        ({"secrets": {"a,b": "hush-hush"}}, "without commas"),
        ({"secrets": {"a": {"base64": "hush-hush!"}}}, "cannot be read as base64"),
        ({"secrets": {"a": ["hush-hush"]}}, "must be a text"),
        ({"secrets": {"a": "hush-hush" * 60_000}}, "longer than 512000 bytes"),
        ({"secrets": {f"a{number}": "hush-hush" for number in range(501)}}, "more than 500 secrets"),
    ],
)
def test_secrets_that_cannot_be_given_are_refused_before_anything_is_sent(
    run: Run, given: dict[str, Any], told: str
) -> None:
    (error,) = run("ImageBuild", BUILD | given).errors
    assert error["name"] == "BadInput"
    assert told in error["message"]
    assert "hush-hush" not in str(error)
    assert run.requests == []


def test_a_flood_of_trace_stays_a_message(run: Run) -> None:
    flood = record(vertex("a", "x" * 60_000, 1), log("a", b"y\n" * 100_000), *[warning("z" * 900)] * 300)
    (body,) = run(
        "ImageBuild", BUILD | {"version": "2"}, NO_SESSION, NO_SESSION, say(chunked(flood, flood, IMAGE))
    ).bodies
    assert (len(body["lines"]), len(body["warnings"]), len(body["steps"])) == (100, 200, 1)


def test_events_that_are_cut_are_an_error_that_may_come_again(run: Run) -> None:
    event = {"Type": "container", "Action": "die"}
    outcome = run(
        "SystemEvents", {"since": 1}, say_and_close(chunked(event, end=b"")), errorPolicy="throwError"
    )
    assert names(outcome) == ["StreamCut"]


def test_limits_end_a_stream_and_say_which(run: Run) -> None:
    events = [{"Type": "container", "Action": f"a{n}"} for n in range(5)]
    (body,) = run("SystemEvents", {"since": 1}, say(chunked(*events, end=b"")), maxItems="3").bodies
    assert [event["Action"] for event in body["results"]] == ["a0", "a1", "a2"]
    assert body["truncated"] == "maxItems"
    (body,) = run("SystemEvents", {"since": 1}, say(chunked(*events, end=b"")), idleSeconds="1").bodies
    assert (len(body["results"]), body["truncated"]) == (5, "idleSeconds")
    (body,) = run("SystemEvents", {"since": 1}, say(chunked(*events, end=b"")), maxSeconds="0.3").bodies
    assert body["truncated"] == "maxSeconds"


def test_work_that_a_limit_ends_is_an_error(run: Run) -> None:
    outcome = run("ImageBuild", BUILD, say(chunked(STEP, end=b"")), idleSeconds="0.2")
    assert names(outcome) == ["LimitReached"]


@pytest.mark.parametrize(
    ("sent", "bodies"),
    [
        (answer(b'[{"Id":"a"},{"Id":"b"}]'), [{"Id": "a"}, {"Id": "b"}]),
        (answer(b"null"), []),
        (answer(b"[]"), []),
    ],
)
def test_items_are_emitted_one_by_one_when_asked_for(run: Run, sent: bytes, bodies: list[Any]) -> None:
    assert run("ContainerList", {}, say(sent), emitBehavior="emitIndividually").bodies == bodies


def test_numbers_beyond_64_bits_survive(run: Run) -> None:
    big = 2**70
    assert run("ContainerInspect", WEB, say(answer(b'{"SizeRw": %d}' % big))).bodies == [{"SizeRw": big}]


def test_half_a_document_is_not_handed_on(run: Run) -> None:
    outcome = run("ContainerInspect", WEB, *[say(answer(b'{"Id": "x"'))] * 3, errorPolicy="throwError")
    assert names(outcome) == ["EngineFault"]
