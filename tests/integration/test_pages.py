"""The pages for flow builders: their flows and commands, run as they stand on a private engine."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.local.catalog.catalog import Catalog
from lib.local.component_folder import OWN_COMPONENT
from lib.local.flow.flowfile import read_flow
from tests.lab.engine import LabEngine
from tests.local.running import ROOT, run

PAGE = "\n".join((ROOT / "docs" / name).read_text("utf-8") for name in ("flows.md", "migration.md"))
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```json\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = re.findall(r"<!-- prints: (.*?) -->\n *```sh\n *(.*?)\n *```", PAGE, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all files of the pages."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_each_block_of_the_pages_is_a_file_or_a_command_with_what_it_prints() -> None:
    assert len(re.findall(r"^ *```\w", PAGE, re.MULTILINE)) == len(FILES) + len(COMMANDS)
    assert COMMANDS


@pytest.mark.parametrize("name", FILES)
def test_each_file_of_the_pages_is_a_flow_of_this_component(name: str, folder: Path) -> None:
    catalog = Catalog.read(OWN_COMPONENT)

    assert read_flow(folder / name, catalog.keys("trigger"), catalog.keys("action")).name


@pytest.mark.engine
@pytest.mark.parametrize(("printed", "command"), COMMANDS, ids=[command for _, command in COMMANDS])
def test_each_command_of_the_pages_prints_what_it_is_there_to_show(
    printed: str,
    command: str,
    folder: Path,
    engine_lab: LabEngine,
    make_container: Callable[..., str],
) -> None:
    ended = make_container(Cmd=["sh", "-c", "echo last words"], Labels={"team": "shop"})
    engine_lab.wire.do("POST", f"/containers/{ended}/start")
    engine_lab.wire.do("POST", f"/containers/{ended}/wait")
    program, *arguments = shlex.split(command)
    places = [str(folder / one) if one in FILES else one for one in arguments]

    done = run(*places, component=None, DOCKER_HOST=engine_lab.url)

    assert program == "scripts/run"
    assert done.code == 0, done.err
    assert printed in done.out
