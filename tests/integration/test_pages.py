"""The pages: their flows are flows of this component, their commands run as they stand on a private engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.local.catalog.catalog import Catalog
from lib.local.component_folder import OWN_COMPONENT
from lib.local.flow.flowfile import read_flow
from tests.jobs.engines import begin
from tests.lab.engine import LabEngine
from tests.local.pages import PAGES, Block, blocks, marked, shell, workplace

FLOWS = [block for block in marked("file") if block.page != "docs/own-component.md"]
PRINTS = marked("prints")
PLAIN = [block for page in PAGES for block in blocks(page) if (block.kind, block.language) == ("", "sh")]
SHOWS = marked("shows")
OTHER_EACH_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|(?<=-)[0-9a-f]{8}\b")
"""Times, and what the runner hangs to names."""


@pytest.fixture(scope="module")
def shop() -> Iterator[LabEngine]:
    """An engine with one ended container: the pages' flows read the logs of every container that they find."""
    engine = begin("20.10")
    ended = engine.create(Cmd=["sh", "-c", "echo last words"], Labels={"team": "shop"})
    engine.wire.do("POST", f"/containers/{ended}/start")
    engine.wire.do("POST", f"/containers/{ended}/wait")
    yield engine
    engine.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all files of the pages, in which their commands run."""
    for block in FLOWS:
        (tmp_path / block.value).write_text(block.text, "utf-8")
    return workplace(tmp_path)


def printed(command: str, folder: Path, engine: LabEngine) -> str:
    """What a command writes to stdout; it ends well."""
    done = shell(command, folder, DOCKER_HOST=engine.url)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_commands_and_flows() -> None:
    assert (len(FLOWS), len(PRINTS), len(SHOWS)) >= (3, 6, 1)
    assert len(PLAIN) >= 2


@pytest.mark.parametrize("block", FLOWS, ids=str)
def test_each_file_of_the_pages_is_a_flow_of_this_component(block: Block, folder: Path) -> None:
    catalog = Catalog.read(OWN_COMPONENT)

    assert read_flow(folder / block.value, catalog.keys("trigger"), catalog.keys("action")).name


@pytest.mark.engine
@pytest.mark.parametrize("block", PRINTS, ids=str)
def test_each_command_of_the_pages_prints_what_it_is_there_to_show(
    block: Block, folder: Path, shop: LabEngine
) -> None:
    assert block.value in printed(block.text, folder, shop)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("block", "command"),
    [(block, command) for block in PLAIN for command in block.text.splitlines()],
    ids=str,
)
def test_each_line_of_other_commands_runs_as_it_stands(
    block: Block, command: str, folder: Path, shop: LabEngine
) -> None:
    printed(command, folder, shop)


@pytest.mark.engine
@pytest.mark.parametrize("block", SHOWS, ids=str)
def test_what_a_page_shows_of_a_command_is_what_it_prints(
    block: Block, folder: Path, shop: LabEngine
) -> None:
    found = printed(block.value, folder, shop)

    assert comparable(found) == comparable(block.text)


def comparable(text: str) -> list[str]:
    """Lines without what differs each time, and without blanks, which differ with the width of a table."""
    return [
        re.sub(r"[ ─]+", " ", OTHER_EACH_TIME.sub("*", line)).strip() for line in text.strip().splitlines()
    ]
