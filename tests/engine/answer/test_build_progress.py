"""BuildKit's trace, as recorded from engines and as hostile ones may write it, and the classic builder's steps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.answer.build_failure import SessionFacts
from lib.engine.answer.build_progress import BuildProgress
from lib.engine.answer.names import MOST_NAMES
from lib.engine.answer.step_output import LONGEST_LINE
from lib.engine.errors import OutcomeUnknown, StreamCut, StreamFailed
from tests.engine.chunkings import cut, many, places
from tests.engine.traces import IMAGE, log, record, status, vertex, warning

RECORDED = json.loads((Path(__file__).parent / "recorded_traces.json").read_text("utf-8"))
ENGINES = pytest.mark.parametrize("engine", RECORDED)
RUN = "[2/3] RUN make"


def summed(*records, **options):
    progress = BuildProgress(**options)
    for one in records:
        progress.feed(one)
    progress.end()
    return progress.as_dict()


def failure(*records, **options):
    with pytest.raises((StreamFailed, StreamCut)) as caught:
        summed(*records, **options)
    return caught.value


def refused(text):
    return {"errorDetail": {"message": text}, "error": text}


@ENGINES
def test_a_recorded_build_gives_steps_lines_and_the_image(engine):
    body = summed(*RECORDED[engine]["built"])
    assert body["builder"] == "buildkit"
    assert body["id"].startswith("sha256:")
    assert body["tags"] == ["lab/bk:1"]
    steps = {step["name"].partition(" ")[0] + step["stage"]: step for step in body["steps"]}
    assert set(steps) == {"FROMbase", "RUNstage-1", "RUNbase", "COPYstage-1", "exporting"}
    assert {step["status"] for step in body["steps"]} == {"done"}
    assert [step["number"] for step in body["steps"]] == [1, 2, 3, 4, 5]
    assert 1.0 < steps["RUNstage-1"]["seconds"] < 1.5
    assert "#2 tail-without-end" in body["lines"]
    assert {"#3 one", "#3 err", "#3 c"} <= set(body["lines"])
    assert not any("internal" in line for line in body["lines"])


def test_recorded_warnings_have_rule_and_line():
    assert summed(*RECORDED["28.5"]["built"])["warnings"] == [
        {
            "text": "'as' and 'FROM' keywords' casing do not match",
            "rule": "FromAsCasing",
            "line": 1,
            "file": "Dockerfile",
            "url": "https://docs.docker.com/go/dockerfile/rule/from-as-casing/",
        }
    ]


@ENGINES
def test_a_recorded_failure_names_step_code_and_last_lines(engine):
    error = failure(*RECORDED[engine]["failed"])
    assert error.message == "Step [2/3] RUN echo before; echo more; exit 3 ended with exit code 3"
    assert error.hint == "Before it: before\nmore"
    assert error.step == "[2/3] RUN echo before; echo more; exit 3"


@ENGINES
def test_a_recorded_missing_file_is_named(engine):
    assert failure(*RECORDED[engine]["nofile"]).message.startswith("/nofile is not in the build context")


def test_steps_are_numbered_when_they_begin():
    body = summed(
        record(vertex("c", "[3/3] COPY"), vertex("b", RUN), vertex("a", "[1/3] FROM x")),
        record(vertex("a", began=1, ended=2), vertex("b", began=2)),
        record(vertex("b", began=2, ended=4.5), vertex("c", began=5, ended=5, cached=True)),
        IMAGE,
    )
    assert [(step["number"], step["name"], step["status"], step["seconds"]) for step in body["steps"]] == [
        (1, "FROM x", "done", 1.0),
        (2, "RUN make", "done", 2.5),
        (3, "COPY", "cached", 0.0),
    ]
    assert body["cachedSteps"] == 1
    assert body["lines"][-2:] == ["#2 DONE 2.5s", "#3 CACHED"]


def test_a_step_that_runs_again_is_counted_once_with_all_its_time():
    body = summed(
        record(vertex("a", RUN, 1, 2)),
        record(vertex("a", RUN, 1, 2)),
        record(vertex("a", RUN, 3)),
        record(vertex("a", RUN, 3, 5)),
        IMAGE,
    )
    assert [step["seconds"] for step in body["steps"]] == [3.0]


def test_the_last_output_stands_before_the_end_although_one_record_holds_both():
    body = summed(record(vertex("a", RUN, 1, 2), log("a", b"last words")), IMAGE)
    assert body["lines"] == ["#1 [2/3] RUN make", "#1 last words", "#1 DONE 1.0s"]


@many
@given(st.lists(st.text("äb\U0001f600 ", max_size=9), max_size=9), places)
def test_output_that_is_cut_anywhere_becomes_the_same_lines(texts, where):
    data = "\n".join(texts).encode()
    pieces = [record(log("a", piece)) for piece in cut(data, where)]
    body = summed(record(vertex("a", RUN, 1)), *pieces, record(vertex("a", RUN, 1, 2)), IMAGE)
    expected = [f"#1 {text.rstrip()}" for text in texts if text.rstrip()]
    assert body["lines"][1:-1] == expected


def test_streams_of_a_step_do_not_mix_within_a_line():
    body = summed(
        record(
            vertex("a", RUN, 1),
            log("a", b"out"),
            log("a", b"err", 2),
            log("a", b"put\n"),
            log("a", b"or\n", 2),
        ),
        IMAGE,
    )
    assert body["lines"][1:] == ["#1 output", "#1 error"]


def test_output_that_an_engine_clips_keeps_its_end():
    clipped = b"half a li\n[output clipped, log limit 200KiB/s reached]\n"
    body = summed(record(vertex("a", RUN, 1), log("a", clipped), log("a", b"last words\n")), IMAGE)
    assert body["lines"][1:] == [
        "#1 half a li",
        "#1 [output clipped, log limit 200KiB/s reached]",
        "#1 last words",
    ]


def test_of_a_progress_bar_the_last_state_is_kept():
    body = summed(
        record(vertex("a", RUN, 1), log("a", b"1%\r50%\r99%\r\n"), log("a", b"5%\r"), log("a", b"7%\n")),
        IMAGE,
    )
    assert body["lines"][1:] == ["#1 99%", "#1 7%"]


def test_bytes_that_are_no_text_are_replaced():
    assert summed(record(vertex("a", RUN, 1), log("a", b"a\xffb\n")), IMAGE)["lines"][1] == "#1 a\ufffdb"


def test_the_first_failure_counts_and_what_it_stopped_is_canceled():
    error = failure(
        record(
            vertex(
                "a", "[a 2/2] RUN x", 1, 3, error='process "x" did not complete successfully: exit code: 1'
            )
        ),
        record(
            vertex(
                "b", "[b 2/2] RUN y", 1, 2, error='process "y" did not complete successfully: exit code: 7'
            )
        ),
        record(vertex("c", "[c 2/2] RUN z", 1, 1.5, error='process "z" did not complete: context canceled')),
        refused("some text: exit code: 1"),
    )
    assert error.message == "Step [b 2/2] RUN y ended with exit code 7"


def test_the_last_lines_of_a_failure_are_whole_and_limited():
    lines = b"".join(b"%03d %s\n" % (number, b"x" * 396) for number in range(30))
    exit_code = 'process "x" did not complete successfully: exit code: 1'
    error = failure(
        record(vertex("a", RUN, 1, 2, error=exit_code), log("a", lines)), refused("x: exit code: 1")
    )
    shown = error.hint.removeprefix("Before it: ").split("\n")
    assert [line[:3] for line in shown] == ["026", "027", "028", "029"]
    assert {len(line) for line in shown} == {400}


def test_a_cancelled_build_says_so():
    error = failure(record(vertex("a", RUN, 1, 2, error="x: context canceled")), refused("context canceled"))
    assert error.message == "The build was cancelled at the engine"


def test_a_step_that_the_build_can_do_without_may_fail():
    body = summed(record(vertex("a", "importing cache manifest from x", 1, 2, error="no such host")), IMAGE)
    assert [step["status"] for step in body["steps"]] == ["failed"]
    assert body["lines"][-1] == "#1 ERROR: no such host"


def test_what_buildkit_does_for_itself_is_shown_only_if_it_fails():
    internal = "[internal] load metadata for docker.io/library/x:1"
    assert summed(record(vertex("a", internal, 1, 2)), IMAGE)["steps"] == []
    assert internal in failure(record(vertex("a", internal, 1, 2, error="boom")), refused("boom")).message


def test_names_and_digests_of_an_export_are_told():
    digest = "sha256:" + "3" * 64
    body = summed(
        record(
            vertex("a", "exporting to image", 1),
            status("a", "naming to docker.io/library/web:1"),
            status("a", f"exporting manifest {digest}"),
            status("a", "naming to registry.example.org/shop/web:1 done"),
        ),
        IMAGE,
    )
    assert body["tags"] == ["web:1", "registry.example.org/shop/web:1"]
    assert body["digest"] == digest


@pytest.mark.parametrize("where", ["Dockerfile", "/var/lib/docker/tmp/buildkit-mount1/Dockerfile"])
def test_a_context_without_a_dockerfile_is_told_without_the_paths_of_the_engine(where):
    told = failure(
        MADE, refused(f"failed to read dockerfile: open {where}: no such file or directory")
    ).message
    assert told == "The build context has no Dockerfile of this name: give the one that it has in dockerfile"


def test_a_frontend_that_ends_is_named_by_the_step_that_fetched_it():
    fetched = record(vertex("f", "docker-image://registry.example.org/own:1@sha256:00", 1, 2))
    for before in ("", "failed to solve with frontend gateway.v0: "):
        told = failure(fetched, refused(f"{before}exit code: 3")).message
        assert told.startswith(
            "The frontend registry.example.org/own:1 that the Dockerfile names (# syntax=) ended with exit code 3"
        )
    assert failure(MADE, refused("exit code: 3")).message.startswith("The frontend that the Dockerfile names")


def test_what_is_no_text_in_a_reason_is_left_out():
    text = f"dockerfile parse error line 1: unknown instruction: {chr(0) * 50}"
    assert failure(MADE, refused(text)).message == text.replace(chr(0), "")


def test_an_image_without_a_name_has_no_tag():
    nameless = status("a", f"naming to moby-dangling@sha256:{'1' * 64} done")
    assert summed(record(vertex("a", "exporting to image", 1), nameless), IMAGE)["tags"] == []


def test_what_old_engines_put_before_a_reason_is_left_out_also_without_a_trace():
    assert (
        failure(refused("failed to solve with frontend dockerfile.v0: no such thing")).message
        == "no such thing"
    )


def test_the_dockerfile_in_a_warning_is_not_passed_on():
    body = summed(record(warning("SecretsUsedInArgOrEnv: Do not use ARG (line 4)", 4)), IMAGE)
    assert body["warnings"] == [
        {
            "text": "Do not use ARG",
            "rule": "SecretsUsedInArgOrEnv",
            "line": 4,
            "file": "Dockerfile",
            "url": "https://example.org/rule",
        }
    ]
    assert "whole-dockerfile" not in json.dumps(body)


def test_a_stream_that_ends_without_a_result_has_an_unknown_outcome():
    with pytest.raises(OutcomeUnknown, match="without an image"):
        summed(record(vertex("a", RUN, 1)))
    assert summed(record(vertex("a", RUN, 1)), image=False)["steps"][0]["status"] == "canceled"


@pytest.mark.parametrize("aux", [None, 7, "", "!", "AAA", "ÿ", [], {"ID": "x"}, "Cm0KR3NoYTI1Ng=="])
def test_a_record_that_cannot_be_read_does_no_harm(aux):
    body = summed({"id": "moby.buildkit.trace", "aux": aux}, IMAGE)
    assert body["steps"] == []


@many
@given(st.binary(max_size=200), st.integers(1, 4))
def test_rubbish_in_a_record_does_no_harm(data, kind):
    summed(record((kind, data)), record(vertex("a", RUN, 1, 2)), IMAGE)


def test_steps_have_an_upper_bound():
    with pytest.raises(StreamFailed, match="build steps"):
        summed(*(record(vertex(f"v{number}", "x")) for number in range(MOST_NAMES + 1)))


def test_long_lines_names_and_many_warnings_are_cut():
    endless = (record(log("a", b"x" * 100_000)) for _ in range(20))
    body = summed(
        record(vertex("a", "y" * 100_000, 1)),
        *endless,
        *(record(warning("Rule: " + "z" * 9_000)) for _ in range(300)),
        record(vertex("a", began=1, ended=2)),
        IMAGE,
    )
    assert all(len(line) <= LONGEST_LINE + 10 for line in body["lines"])
    assert len(body["lines"]) == 3
    assert len(body["warnings"]) == 200
    assert len(json.dumps(body)) < 400_000


def test_records_are_told_as_lines():
    progress = BuildProgress()
    assert progress.feed(record(vertex("a", RUN))) is None
    assert progress.feed(record(vertex("a", RUN, 1), log("a", b"x\n"))) == {
        "stream": "#1 [2/3] RUN make\n#1 x\n"
    }
    assert progress.feed(IMAGE) == IMAGE


def test_the_classic_builder_has_steps_in_the_same_form():
    ticks = iter([0.0, 1.0, 1.0, 3.0, 7.0, 7.0])
    body = summed(
        {"stream": "Step 1/2 : FROM busybox:local"},
        {"stream": " ---> 4d4bb73089b1\n"},
        {"stream": "Step 2/2 : RUN make"},
        {"stream": " ---> Using cache\n"},
        {"aux": IMAGE["aux"]},
        clock=lambda: next(ticks),
    )
    assert body["builder"] == "classic"
    assert [(step["number"], step["name"], step["status"]) for step in body["steps"]] == [
        (1, "FROM busybox:local", "done"),
        (2, "RUN make", "cached"),
    ]
    assert body["cachedSteps"] == 1
    assert body["warnings"] == []


HOSTS = {"registry-1.example.org": False, "r.example.org": True}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("HEAD http://r.example.org/v2/x: 401 Unauthorized", "The registry r.example.org refused the login"),
        ("failed to authorize: 403 Forbidden", "The registry r.example.org refused the login"),
        ("registry-1.example.org/x: insufficient_scope", "The registry registry-1.example.org wants a login"),
        ("the page at x.org says 401", "the page at x.org says 401"),
    ],
)
def test_a_registry_that_refuses_is_named_with_what_it_was_shown(text, told):
    error = failure(MADE, refused(text), session=lambda: SessionFacts(hosts=HOSTS))
    assert error.message.startswith(told)
    assert text in error.message


def test_a_refusal_before_any_registry_was_asked_is_told_as_it_is():
    assert failure(MADE, refused("401 Unauthorized")).message == "401 Unauthorized"


MADE = record(vertex("a", RUN, 1))


@pytest.mark.parametrize(
    "text",
    [
        "no active session for x",
        "Unavailable: connection error: only one connection allowed",
        "rpc error: code = Unavailable desc = transport is closing",
        "Unavailable: error reading from server: EOF",
    ],
)
@pytest.mark.parametrize("known", ["The session was lost (x)", ""])
def test_a_session_that_was_lost_is_a_cut_also_where_only_the_engine_knows(text, known):
    error = failure(MADE, refused(text), session=lambda: SessionFacts(lost=known))
    assert isinstance(error, StreamCut)
    assert (
        error.message
        == f"{known or 'The connection of the build session was lost'}, so the build failed: {text}"
    )


@pytest.mark.parametrize("text", ["no active session for x", "no active sessions"])
def test_a_session_that_was_refused_is_no_cut(text):
    refusal = SessionFacts(refusal="POST /session was answered with 403")
    error = failure(MADE, refused(text), session=lambda: refusal)
    assert isinstance(error, StreamFailed)
    assert "POST /session was answered with 403" in error.hint


@pytest.mark.parametrize(
    "text",
    [
        "dockerfile parse error line 2: unexpected key 'env' in 'env=X'",
        "dockerfile parse error on line 3: unknown instruction: TOUCH",
        "dockerfile parse error on line 3: unknown flag: parents",
        "dockerfile parse error line 2: Unknown flag: network",
    ],
)
def test_a_dockerfile_that_the_frontend_does_not_know_gets_the_hint_to_a_newer_one(text):
    assert "# syntax=docker/dockerfile:1" in failure(MADE, refused(text)).hint


def test_what_a_command_says_is_taken_for_no_refusal():
    text = 'process "curl 401 Unauthorized" did not complete successfully: exit code: 22'
    error = failure(MADE, refused(text), session=lambda: SessionFacts(hosts=HOSTS))
    assert "registry" not in str(error)


def test_what_is_known_before_a_build_stands_in_its_result():
    body = summed(MADE, IMAGE, ignored=["memory"], warnings=[{"text": "x"}])
    assert (body["ignored"], body["warnings"]) == (["memory"], [{"text": "x"}])
