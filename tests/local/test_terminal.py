"""What a person sees in a terminal: live lines, the status between polls, tables as wide as the window."""

from __future__ import annotations

from tests.local.pseudo_terminal import screen
from tests.local.running import run


def test_a_step_s_progress_is_shown_while_it_works_and_stays_after_ctrl_c() -> None:
    with screen("action", "tell", "--config", '{"token": "hunter22"}') as seen:
        seen.sees("line 2 of ***")
        assert seen.interrupt() == 130

        left = seen.text.rpartition("read so far (3 lines):")[2]
        assert [line for line in left.splitlines() if line.startswith("line")] == [
            f"line {number} of ***\ufffd[2J" for number in range(3)
        ]
        assert "hunter22" not in seen.text


def test_the_pause_between_polls_has_a_status_line() -> None:
    with screen("trigger", "count", "--every", "1h") as seen:
        seen.sees("poll 1, next in 3")
        seen.sees(" s, 1 new")
        assert seen.interrupt() == 130


def test_a_pipe_gets_no_status_and_no_progress() -> None:
    ended = run("trigger", "count", "--times", "2", "--every", "1ms")

    assert "poll" not in ended.out + ended.err


def test_json_has_no_progress() -> None:
    ended = run("trigger", "count", "--times", "1", "--json")

    assert all("event" in line for line in ended.emissions)
    assert ended.err == ""


def test_a_table_is_as_wide_as_the_window() -> None:
    with screen("action", "items", "--columns", "ID,SIZE,note", columns=40) as seen:
        assert seen.ends() == 0
    lines = seen.text.splitlines()

    assert any(line.endswith(("…\x1b[0m", "…")) for line in lines)
    assert "1.5kB" in seen.text
    assert "cut: note" in seen.text


def test_a_pipe_is_as_wide_as_its_reader_says() -> None:
    wide, narrow = (run("action", "items", "--columns", "ID,note", COLUMNS=width) for width in ("150", "30"))

    assert f"aaaaaaaaaaaa  {'n' * 90}" in wide.out
    assert f"aaaaaaaaaaaa  {'n' * 15}…" in narrow.out
    assert f"aaaaaaaaaaaa  1.5kB  {'n' * 90}" in run("action", "items", "--wide", COLUMNS="30").out
