"""What a call on a thread of its own returns or raises comes to the test."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import pytest

from tests.lab.at_once import at_once, beside
from tests.lab.waiting import DEADLINE
from tests.local.running import ROOT


def wrong(text: str) -> str:
    raise ValueError(text)


def test_all_results_come_in_the_order_of_the_calls() -> None:
    first = threading.Event()

    def late() -> str:
        assert first.wait(DEADLINE)
        return "late"

    def early() -> str:
        first.set()
        return "early"

    assert at_once(late, early) == ["late", "early"]


def test_all_calls_run_at_one_moment() -> None:
    meeting = threading.Barrier(3)
    assert sorted(at_once(*[lambda: meeting.wait(DEADLINE)] * 3)) == [0, 1, 2]


def test_what_one_raises_is_raised_once_all_have_ended() -> None:
    ends: list[str] = []
    with pytest.raises(ValueError, match="the second"):
        at_once(lambda: ends.append("1"), lambda: wrong("the second"), lambda: ends.append("3"))
    assert sorted(ends) == ["1", "3"]


def test_what_several_raise_is_raised_together() -> None:
    with pytest.raises(BaseExceptionGroup, match="2 of 3 calls failed") as raised:
        at_once(lambda: wrong("a"), lambda: "b", lambda: pytest.fail("c"))
    assert [str(one) for one in raised.value.exceptions] == ["a", "c"]


def test_a_call_beside_the_test_hands_on_its_end() -> None:
    go = threading.Event()
    waiting = beside(go.wait, DEADLINE)
    assert not waiting.is_over
    go.set()
    assert waiting.result()
    assert waiting.is_over


@pytest.mark.parametrize(
    "fault", [ValueError("its own"), TimeoutError("its own"), KeyboardInterrupt("its own")]
)
def test_a_call_beside_the_test_hands_on_what_it_raises(fault: BaseException) -> None:
    def broken() -> None:
        raise fault

    with pytest.raises(type(fault), match="its own"):
        beside(broken).result()


def _threads_of_lambdas(file: Path) -> list[str]:
    tree = ast.parse(file.read_text())
    return [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("threading.Thread", "Thread")
        for given in node.keywords
        if given.arg == "target" and isinstance(given.value, ast.Lambda)
    ]


def test_no_test_has_a_thread_whose_fault_it_does_not_see() -> None:
    found = [place for file in sorted((ROOT / "tests").rglob("*.py")) for place in _threads_of_lambdas(file)]
    assert found == [], "tests/lab/at_once.py hands on what a call raises"
