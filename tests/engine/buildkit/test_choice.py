"""Which builder is taken: what needs no engine. tests/integration/operations/test_buildkit_choice.py has the rest."""

from __future__ import annotations

import pytest

from lib.engine.buildkit.choice import heredoc_lines, platforms
from lib.engine.errors import BadInput


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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" linux/amd64 ", ["linux/amd64"]),
        ("linux/amd64,linux/arm64 , linux/amd64", ["linux/amd64", "linux/arm64"]),
        ("", []),
        ("  ", []),
    ],
)
def test_platforms_are_taken_once_each(text: str, found: list[str]) -> None:
    assert platforms({"platform": text}) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (",", "an empty part"),
        ("linux/amd64,", "an empty part"),
        (",".join(f"a{n}" for n in range(21)), "more than 20"),
    ],
)
def test_platforms_that_are_none_are_refused(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        platforms({"platform": text})
