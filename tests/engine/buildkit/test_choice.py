"""Which builder is taken: what needs no engine. tests/integration/operations/test_buildkit_choice.py has the rest."""

from __future__ import annotations

import pytest

from lib.engine.buildkit.choice import heredoc_lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("FROM a\nRUN <<EOF\nmake\nEOF\n", [2]),
        ("FROM a\nCOPY <<-'one' <<\"two\" /x/\n", [2]),
        ("RUN cat \\\n  3<<EOF", [2]),
        ("RUN echo $((1<<3)) $((a<<b)) a<<b", []),
        ("# RUN <<EOF\n  # <<EOF", []),
        ("", []),
        ("RUN " + " <<1" * 50_000, []),
        ("RUN " + " 1" * 100_000 + "<<", []),
    ],
)
def test_heredocs_are_found_where_builders_see_them(text: str, lines: list[int]) -> None:
    assert list(heredoc_lines(text)) == lines
