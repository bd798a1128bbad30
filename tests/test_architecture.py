"""docs/architecture.md: the log lines, states and widths that it promises are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from lib.sailor.amqp.publisher import Outcome
from lib.trigger.cursor import PROBLEMS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")
WIDTH = 100
"""Columns of a terminal that every picture has to fit into."""
LOG_LINES = re.findall(r"^\| `([^`]+)` \| \w+ \| `([\w/]+\.py)` \|", PAGE, re.MULTILINE)


def texts_of(path: Path) -> list[str]:
    """Return the texts in a file's code, values in f-strings as "..."."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        elif isinstance(node, ast.JoinedStr):
            found.append(
                "".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values)
            )
    return found


def test_there_are_log_lines() -> None:
    assert len(LOG_LINES) > 25


@pytest.mark.parametrize(("line", "file"), LOG_LINES)
def test_a_log_line_is_written_by_its_file(line: str, file: str) -> None:
    assert line in texts_of(ROOT / file)


def test_each_outcome_of_a_publish_and_each_problem_of_a_cursor_is_in_its_picture() -> None:
    pictures = "\n".join(PAGE.split("```")[1::2])
    assert [name for name in (*(one.name for one in Outcome), *PROBLEMS) if name not in pictures] == []


def test_pictures_fit_into_a_terminal() -> None:
    wide = [line for picture in PAGE.split("```")[1::2] for line in picture.splitlines() if len(line) > WIDTH]
    assert not wide
