"""What would let a slow machine fail a test, or a quick one pass it: sleeps, short deadlines, upper bounds of time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
WAITING = FOLDER / "lab" / "waiting.py"
"""The one file that may sleep, and that says how long anything is waited for."""
CLOCKS = {"monotonic", "perf_counter", "time"}
WAITERS = {
    *("wait", "wait_for", "join", "get", "acquire", "result", "communicate", "recv", "ended"),
    *("settimeout", "create_connection", "run", "check_output", "call", "Barrier", "wait_until"),
}
BY_PLACE = {"wait", "join", "result", "settimeout", "ended"}
"""Those whose only argument is how long."""


def name_of(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def is_number(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, int | float) and value.value > 0


def holds_number(value: ast.expr) -> bool:
    """Also a calculation with one in it."""
    if isinstance(value, ast.BinOp):
        return not isinstance(value.left, ast.List) and any(map(holds_number, (value.left, value.right)))
    return is_number(value)


def faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, what is wrong)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = name_of(node.func)
            if name == "sleep" and not (node.args and getattr(node.args[0], "value", None) == 0):
                yield node.lineno, "sleeps: wait for an event, or with wait_until"
            if name in BY_PLACE and len(node.args) == 1 and holds_number(node.args[0]):
                yield node.lineno, f"{name}: DEADLINE is how long anything is waited for"
            given = {one.arg: one.value for one in node.keywords}
            if name in WAITERS and "timeout" in given and holds_number(given["timeout"]):
                yield node.lineno, f"{name}: DEADLINE is how long anything is waited for"
            if "time_limit" in given and holds_number(given["time_limit"]):
                yield node.lineno, f"{name}: DEADLINE is how long anything is waited for"
            if name == "settings" and "deadline" in given:
                yield node.lineno, "examples of Hypothesis have no deadline"
        elif isinstance(node, ast.Assert) and any(map(is_upper_bound, ast.walk(node.test))):
            yield node.lineno, "asserts how long something took"


def is_upper_bound(node: ast.AST) -> bool:
    """Whether a reading of a clock has to be below something."""
    if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Lt | ast.LtE):
        return False
    clocks = (one for one in ast.walk(node.left) if isinstance(one, ast.Call) and not one.args)
    return any(isinstance(one.func, ast.Attribute) and one.func.attr in CLOCKS for one in clocks)


def test_no_test_sleeps_or_is_in_a_hurry() -> None:
    """fault 8.35: a deadline is for what hangs, not for what is slow."""
    found = [
        f"{path.relative_to(FOLDER.parent)}:{line} {what}"
        for path in sorted(FOLDER.rglob("*.py"))
        if path != WAITING
        for line, what in faults(ast.parse(path.read_text("utf-8")))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "time.sleep(0.1)",
        "await asyncio.sleep(1)",
        "pause.wait(0.5)",
        "pause.wait(0.2 + chance.random() * 0.9)",
        "thread.join(5)",
        "process.communicate(timeout=30)",
        "socket.create_connection(address, timeout=5)",
        "client.settimeout(0.1)",
        "connection.process_data_events(time_limit=5)",
        "@settings(deadline=200)\ndef test(): ...",
        "assert time.monotonic() - began < 3",
        "assert 1 <= 2 and time.perf_counter() <= end",
    ],
)
def test_what_is_refused(line: str) -> None:
    assert list(faults(ast.parse(line))) != []


@pytest.mark.parametrize(
    "line",
    [
        "await asyncio.sleep(0)",
        "gone.wait(DEADLINE)",
        "client.settimeout(0)",
        "'.'.join(['a' * 60] * 5)",
        "fields.get('count', 10)",
        "assert time.monotonic() - began >= 0.2",
        "engine.run(['sleep', '600'])",
    ],
)
def test_what_is_not(line: str) -> None:
    assert list(faults(ast.parse(line))) == []
