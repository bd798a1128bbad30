"""Each block of the documents is run or compared by a test, or says why not.

The marks: CONTRIBUTING.md#blocks-of-the-documents.
"""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from lib.action.input.validation import validator
from tests.local.pages import PAGES, Block, blocks, marked
from tests.local.running import ROOT

PICTURES = ("", "text")
"""Languages of what is only looked at."""
KEPT_BY = {
    "file": ("tests/integration/test_pages.py", "tests/sailor/test_example_component.py"),
    "part of": ("tests/sailor/test_example_component.py",),
    "runs": ("tests/lab/own_component.py",),
    "prints": ("tests/integration/test_pages.py",),
    "shows": ("tests/integration/test_pages.py",),
}
"""Marks, and the files that do what they say."""
GENERATED = ("docs/jobs.md", "docs/operations.md")
OF_ANY_TYPE = {("EngineRequest", "body")}
"""Outputs that have whatever type the engine answers with, which the platform's schemas cannot say."""
EXAMPLES = [block for page in GENERATED for block in blocks(page)]
ALL = [block for page in PAGES if page not in GENERATED for block in blocks(page)]


def test_every_page_is_read() -> None:
    assert len(ALL) >= 60
    assert {block.language for block in ALL} == {*PICTURES, "sh", "json", "python", "dockerfile", "toml"}
    for page in PAGES:
        fences = re.findall(r"^ *```", (ROOT / page).read_text("utf-8"), re.MULTILINE)
        assert len(fences) == 2 * len(blocks(page)), page


@pytest.mark.parametrize("block", ALL, ids=str)
def test_a_block_says_who_looks_after_it(block: Block) -> None:
    if block.kind == "not run":
        assert len(block.value) > 10, "why not?"
    elif block.kind == "run by":
        assert f"docs/{block.page.rpartition('/')[2]}" in (ROOT / block.value).read_text("utf-8")
    elif block.kind in KEPT_BY:
        assert all((ROOT / file).is_file() for file in KEPT_BY[block.kind])
    else:  # a picture, or commands that run as they stand: see tests/integration/test_pages.py
        assert block.kind == ""
        assert block.language in (*PICTURES, "sh")


def test_few_blocks_are_not_run() -> None:
    kinds = Counter(block.kind for block in ALL if block.language not in PICTURES)
    assert kinds["not run"] <= 12
    assert kinds.total() - kinds["not run"] >= 28


@pytest.mark.parametrize("page", GENERATED)
def test_the_examples_of_a_generated_page_are_messages_of_their_step(page: str) -> None:
    parts = re.split(r"^### (\w+)$", (ROOT / page).read_text("utf-8"), flags=re.MULTILINE)
    seen = 0
    for key, part in zip(parts[1::2], parts[2::2], strict=True):
        texts = [
            json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", part, re.DOTALL | re.MULTILINE)
        ]
        example, *answers = texts
        assert validator(ROOT / f"schemas/{key}.in.json").settled(example) == (example, [])
        for answer in answers:
            told = {name: value for name, value in answer.items() if (key, name) not in OF_ANY_TYPE}
            assert validator(ROOT / f"schemas/{key}.out.json").errors(told) == []
        seen += len(texts)
    assert seen == len(blocks(page)) == len([block for block in EXAMPLES if block.page == page])


def test_what_a_mark_names_is_one_of_its_page() -> None:
    for block in marked("shows"):
        assert any(block.value in other.text for other in blocks(block.page) if other.language == "sh")
