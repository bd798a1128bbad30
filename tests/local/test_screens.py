"""docs/screens.md shows what the runner shows: the same commands, titles of columns and widths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from lib.local.sandbox.supervisor import SupervisorError
from tests.lab.engine import LabEngine
from tests.lab.skipping import missing
from tests.local.running import ROOT
from tests.local.screens import PAGE, Shown, page, taken

pytestmark = pytest.mark.engine
BLOCK = re.compile(r"^(\d+) columns:\n\n```text\n\$ ([^\n]*)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
HEAD = re.compile(r"[A-Z][A-Z ]+")


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Shown]]:
    try:
        engine = LabEngine.begin()
    except (PrivateEngineError, LocalImageError, SupervisorError) as error:
        missing(str(error))
    try:
        yield taken(engine, tmp_path_factory.mktemp("screens"))
    finally:
        engine.close()


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """(width and command, heads of tables and keys) of each screen of a page."""
    return [(f"{width}: {words}", heads(shown)) for width, words, shown in BLOCK.findall(text)]


def heads(text: str) -> list[str]:
    """The titles of each table, and the keys of JSON: what does not depend on the values."""
    lines = text.splitlines()
    titles = [" | ".join(re.split(r"\s{2,}", line)) for line in lines if HEAD.fullmatch(line)]
    keys = re.findall(r'^ {2}"(\w+)":', text, re.MULTILINE)
    return [*titles, *keys]


def test_the_page_has_the_screens_that_the_runner_shows(screens: list[Shown]) -> None:
    there, now = blocks(PAGE.read_text("utf-8")), blocks(page(screens))

    assert len(now) == len(screens) == 8
    assert there == now


def test_tables_are_no_wider_than_the_window(screens: list[Shown]) -> None:
    for shown in screens:
        table = shown.text.partition(" items;")[0].rpartition("\n")[0]
        assert max(map(len, table.splitlines())) <= shown.width, shown.title


def test_the_readme_leads_to_the_screens() -> None:
    assert "docs/screens.md" in (Path(ROOT) / "README.md").read_text("utf-8")
