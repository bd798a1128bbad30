"""Actions, triggers and the verification of credentials, as child processes."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.lab.waiting import DEADLINE
from tests.local.running import Ended, run, start


def snapshots(ended: Ended) -> list[int]:
    return [line["message"]["n"] for line in ended.emissions if line["event"] == "snapshot"]


def test_every_emission_is_one_json_line() -> None:
    ended = run("action", "echo", "--body", '{"text": "hello"}', "--json")

    assert (ended.code, ended.err) == (0, "")
    assert ended.emissions == [
        {"step": "echo", "event": "data", "message": {"body": {"text": "hello"}, "headers": {}}}
    ]


def test_a_body_may_come_from_a_file_or_from_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_text('{"text": "from a file"}')

    assert run("action", "echo", "--body", f"@{file}", "--json").emissions[0]["message"]["body"] == {
        "text": "from a file"
    }
    assert run(
        "action", "echo", "--body", "-", "--json", given='{"n": 12345678901234567890123}'
    ).out.startswith('{"step":"echo","event":"data","message":{"body":{"n":12345678901234567890123}')


def test_a_failing_step_ends_with_1_and_its_error_in_a_line_without_secrets() -> None:
    ended = run("action", "fail", "--config", '{"token": "hunter22"}', "--json")

    assert ended.code == 1
    assert [(line["event"], line["message"]["name"]) for line in ended.emissions] == [("error", "ValueError")]
    assert "hunter22" not in ended.out + ended.err
    assert [line["level"] for line in ended.log] == [50]


def test_people_get_a_sentence_and_no_stack_trace() -> None:
    ended = run("action", "fail", "--config", '{"token": "hunter22"}')

    assert (ended.code, ended.out, ended.err) == (1, "", "Error: fail: no luck with ***\n")


def test_escape_sequences_in_a_message_do_not_reach_the_terminal() -> None:
    ended = run("action", "echo", "--body", '{"text": "red \\u001b[31m alert"}')

    assert "red \ufffd[31m alert" in ended.out


def test_debug_shows_the_whole_log() -> None:
    assert "Traceback" in run("action", "fail", "--debug").err


def test_a_warning_of_the_component_reaches_people() -> None:
    assert run("action", "warn", "--config", '{"token": "hunter22"}').err == "Warning: mind the gap\n"


def test_a_message_that_is_put_back_comes_again_after_its_pause() -> None:
    ended = run("action", "comeBack", "--body", '{"a": 1}', "--rebound-pause", "10ms", "--json")

    events = [line["event"] for line in ended.emissions]
    assert ended.code == 0
    assert events == ["updateSnapshot", "rebound", "updateSnapshot", "rebound", "data"]
    assert ended.emissions[1]["message"] == {"reason": "not yet", "iteration": 1, "pause": 0.01}
    assert ended.emissions[-1]["message"]["body"] == {"tries": 2, "a": 1}


def test_one_action_that_is_put_back_has_failed() -> None:
    ended = run("action", "comeBack", "--body", '{"a": 1}', "--json")

    assert ended.code == 1
    assert [line["event"] for line in ended.emissions] == ["updateSnapshot", "rebound"]


def test_attachments_go_in_and_out_as_files(tmp_path: Path) -> None:
    file = tmp_path / "in put.txt"
    file.write_text("content")

    ended = run("action", "store", "--attachment", f"in={file}", "--data", tmp_path / "data", "--json")

    out = ended.emissions[0]["message"]["attachments"]["out"]
    assert out["size"] == len("content")
    assert Path(out["url"].removeprefix("file://")).read_text() == "content"


def test_without_a_folder_attachments_are_removed_and_people_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")

    ended = run("action", "store", "--attachment", f"in={tmp_path / 'file'}", TMPDIR=str(tmp_path))

    assert "--data DIR" in ended.err
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_trigger_goes_on_where_its_state_file_stands(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    options = ("--times", "2", "--every", "1ms", "--state", state, "--json")

    assert snapshots(run("trigger", "count", *options)) == [1, 2]
    assert snapshots(run("trigger", "count", *options)) == [3, 4]
    assert json.loads(state.read_text()) == {"n": 4}


def test_a_trigger_killed_before_its_snapshot_repeats_what_it_emitted(tmp_path: Path) -> None:
    options = ("--times", "3", "--every", "1ms", "--state", tmp_path / "state.json", "--json")

    killed = run("trigger", "count", *options, "--config", '{"dieAt": 2}', TMPDIR=str(tmp_path))
    again = run("trigger", "count", *options)

    assert (killed.code, [line["message"].get("body") for line in killed.emissions][-1]) == (-9, {"n": 2})
    assert again.emissions[0]["message"]["body"] == {"n": 2}


def test_hooks_are_called_around_all_polls(tmp_path: Path) -> None:
    config = json.dumps({"step": 5, "witness": str(tmp_path / "witness")})

    run("trigger", "count", "--times", "2", "--every", "1ms", "--config", config)

    assert (tmp_path / "witness").read_text() == "shutdown {'started with': 5}\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_long_run_quietly(number: signal.Signals, code: int, tmp_path: Path) -> None:
    running = start("trigger", "count", "--every", "1h", "--json", TMPDIR=str(tmp_path))
    assert running.stdout is not None
    running.stdout.readline(), running.stdout.readline()  # the first poll is through

    running.send_signal(number)
    _, err = running.communicate(timeout=DEADLINE)

    assert (running.returncode, err) == (code, "")
    assert list(tmp_path.iterdir()) == []


def test_a_closed_pipe_is_quiet() -> None:
    running = start("trigger", "count", "--every", "1ms", "--json")
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.readline()

    running.stdout.close()

    assert running.wait(DEADLINE) == 141
    assert running.stderr.read() == ""
    running.stderr.close()


def test_a_credential_is_verified_by_the_component_itself() -> None:
    good = run("verify", "--config", '{"token": "right"}', "--json")
    bad = run("verify", "--config", '{"token": "wrong"}', "--json")

    assert (good.code, good.emissions) == (0, [{"verified": True, "account": "tests"}])
    assert (bad.code, bad.emissions) == (1, [{"verified": False, "reason": "the token is ***"}])


def test_the_engine_of_the_environment_is_the_step_s_unless_a_credential_names_one(tmp_path: Path) -> None:
    def body(*arguments: str, **variables: str) -> object:
        ended = run("action", "configured", *arguments, "--json", **variables)
        return ended.emissions[0]["message"]["body"]

    assert body(DOCKER_HOST="unix:///a") == {"server": "2", "otherServer": "unix:///a"}
    assert body("--engine", "unix:///b", DOCKER_HOST="unix:///a") == {
        "server": "2",
        "otherServer": "unix:///b",
    }
    assert body("--config", '{"server": "unix", "x": 1}', DOCKER_HOST="unix:///a") == {
        "server": "unix",
        "x": 1,
    }
