"""fault 9.24: regular expressions of the form end, whatever they are."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lib.config.form import Labelled
from lib.config.pattern import pattern
from lib.engine.errors import BadInput
from tests.lab.waiting import DEADLINE


def form(expression: str) -> Labelled:
    return Labelled({"pattern": expression}, {"pattern": "Pattern"})


@pytest.mark.parametrize(
    ("expression", "line", "found"),
    [
        ("ERROR|FATAL", "an ERROR here", True),
        ("ERROR|FATAL", "an error here", False),
        ("(?i)error", "an ERROR here", True),
        (r"^\d+ \S+$", "12 monkeys", True),
        ("é+$", "caféé", True),
        ("x", "\ud800x", True),
        (r"\\1", "a \\1 b", True),
        (r"\(\?=", "literally (?= so", True),
    ],
)
def test_an_expression_finds_what_it_says(expression: str, line: str, found: bool) -> None:
    matches = pattern(form(expression), "pattern")
    assert matches is not None
    assert matches(line) is found


def test_no_expression_is_none_and_loads_nothing() -> None:
    code = (
        "import sys; from lib.config.pattern import pattern; "
        "assert pattern({}, 'pattern') is None; assert 're2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=DEADLINE)


def test_fault_9_24_an_expression_that_other_engines_never_end_with_ends() -> None:
    matches = pattern(form("(a+)+$"), "pattern")
    assert matches is not None
    assert not matches("a" * 1_000_000 + "b")


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("(?=a)b", "a lookaround"),
        ("(?<!x)y", "a lookaround"),
        ("(?>a)", "a lookaround"),
        (r"(a)\1", "a back reference"),
        (r"(?P<n>a)(?P=n)", "a back reference"),
        ("[", "missing ]"),
        ("a{1001}", "invalid repetition size"),
        ("((a{1,99}){1,99}){1,9}", "is no regular expression"),
        ("x\ud800", "no text of Unicode"),
    ],
)
def test_fault_9_24_what_cannot_be_searched_for_is_refused_by_name(expression: str, told: str) -> None:
    with pytest.raises(BadInput, match=r'^pattern \("Pattern"\): ') as refused:
        pattern(form(expression), "pattern")
    assert told in str(refused.value)
