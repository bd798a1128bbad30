"""Patterns of `.dockerignore`, as Docker's own client reads them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput
from lib.engine.request.dockerignore import MOST_PATTERNS, ignored
from tests.engine.chunkings import many


@pytest.mark.parametrize(
    ("text", "left_out", "kept"),
    [
        ("*.log", "a.log .log", "sub/a.log a.logs log"),
        ("**/*.log", "a.log sub/a.log a/b/c.log", "a.txt"),
        ("**", "a a/b .hidden", ""),
        ("sub/**", "sub/a sub/b/c", "sub sib/a"),
        ("sub", "sub sub/a sub/b/c", "subs a/sub"),
        ("/sub/", "sub sub/a", "a/sub"),
        ("./a/../b", "b b/c", "a"),
        ("a?c", "abc a.c", "ac abbc a/c"),
        ("[a-c]x", "ax cx", "dx x"),
        ("[^a]x", "bx ^x", "ax"),
        ("a\\*", "a*", "ab"),
        ("a.b+(c)|{d}$^", "a.b+(c)|{d}$^", "axb"),
        ("# a\n#b\n\n  c  \n", "c", "a b #b"),
        ("*\n!keep\n", "a b/c", "keep keep/a"),
        ("*\n!keep\nkeep/x\n", "keep/x keep/x/y", "keep/a keep"),
        ("!a\na", "a", "b"),
        ("docs\n!docs/README.md", "docs/a docs/b/README.md", "docs/README.md"),
        ("a\r\nb\r\n", "a b", "c"),
        ("\ufeffa", "a", "b"),
        ("größe/*", "größe/€", "größe"),
        ("a\nb", "a b", "a\nb"),
        ("**/node_modules", "node_modules/x a/node_modules a/b/node_modules/c", "node_modules2"),
        ("", "", "a"),
    ],
)
def test_the_last_pattern_that_fits_decides(text: str, left_out: str, kept: str) -> None:
    leaves_out = ignored(text, ".dockerignore")
    assert {path: leaves_out(path) for path in left_out.split(" ") if path} == dict.fromkeys(
        filter(None, left_out.split(" ")), True
    )
    assert {path: leaves_out(path) for path in kept.split(" ") if path} == dict.fromkeys(
        filter(None, kept.split(" ")), False
    )


@pytest.mark.parametrize(
    "text", ["!", "a\n ! \n", "[a", "a[\n]b", "[z-a]", "x" * 5_000, "a\n" * (MOST_PATTERNS + 1)]
)
def test_what_cannot_be_read_is_refused_with_the_name_of_the_file(text: str) -> None:
    with pytest.raises(BadInput, match=r"web\.dockerignore has"):
        ignored(text, "web.dockerignore")


@many
@given(st.text("ab*?[]!#\\/.^$(){}|+-\n ", max_size=30), st.text("ab/.\n[", max_size=20))
def test_any_text_is_read_or_refused(text: str, path: str) -> None:
    with suppress(BadInput):
        ignored(text, ".dockerignore")(path)


def test_many_patterns_are_quick_on_long_names() -> None:
    text = "".join(
        f"**/*a{number}*b*c*d\n{'!' if number % 100 == 0 else ''}x{number}\n" for number in range(900)
    )
    leaves_out = ignored(text, ".dockerignore")
    assert not any(leaves_out("a/b" * 1_000 + str(number)) for number in range(20))
