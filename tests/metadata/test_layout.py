from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from lib.metadata.layout import WIDTH, layout

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_laid_out_is_the_same_value(value):
    assert json.loads(layout(value)) == value


def test_what_fits_stays_on_its_line_and_the_rest_is_broken_up():
    wide = {"short": {"a": 1}, "long": ["word" * 10] * 4}
    assert layout(wide).splitlines() == [
        "{",
        ' "short": {"a": 1},',
        ' "long": [',
        *[f'  "{"word" * 10}",'] * 3,
        f'  "{"word" * 10}"',
        " ]",
        "}",
    ]


def test_no_line_that_could_be_broken_is_too_long():
    text = layout({"a": [{"name": "x" * 30, "type": "string"}] * 9, "b": {"c": {"d": ["y" * 25] * 6}}})
    assert max(map(len, text.splitlines())) <= WIDTH
