"""docs/cookbook.md names every recipe and only functions that there are; README and docs/flows.md lead to it."""

from __future__ import annotations

import json
import re

import pytest

from lib.local.catalog.catalog import Catalog
from lib.local.component_folder import OWN_COMPONENT
from lib.local.flow.flowfile import read_flow
from tests.integration.recipes.kitchen import FLOWS
from tests.local.running import ROOT

JOBS = (ROOT / "docs" / "jobs.md").read_text("utf-8")
PAGE = (ROOT / "docs" / "cookbook.md").read_text("utf-8")
RECIPES, _, COMMANDS = re.split(r"\n## (?:More flows|Docker commands)\n", PAGE)
SECTIONS = RECIPES.split("\n## ")[1:]
FILE = re.compile(r"^\[([\w-]+)\.json\]\(\.\./examples/flows/\1\.json\)$", re.MULTILINE)
ROW = re.compile(r"^\| `(docker [a-z ]+)` \| (.*) \|$", re.MULTILINE)
CALL = re.compile(r"`([A-Z]+ /[\w/{}]+)`")
PARTS = ("**Problem.**", "```text", "**Change.**", "**Limits.**", "**Calls.**")
MOST_USED = 40
CATALOG = Catalog.read(OWN_COMPONENT)
TRIGGERS, ACTIONS = CATALOG.keys("trigger"), CATALOG.keys("action")


def test_every_flow_file_is_named() -> None:
    assert {path.stem for path in FLOWS.glob("*.json")} == set(
        re.findall(r"examples/flows/([\w-]+)\.json", PAGE)
    )


@pytest.mark.parametrize("section", SECTIONS, ids=[one.partition("\n")[0] for one in SECTIONS])
def test_every_recipe_has_its_parts_and_names_its_steps(section: str) -> None:
    (name,) = FILE.findall(section)
    places = [section.find(part) for part in PARTS]
    assert places == sorted(places)
    assert places[0] > 0

    flow = read_flow(FLOWS / f"{name}.json", TRIGGERS, ACTIONS)
    picture = section.partition("```text\n")[2].partition("```")[0]
    assert {node.function for node in flow.nodes.values()} <= set(re.findall(r"\w+", picture))
    assert flow.report

    pages = {node.function: JOBS.partition(f"\n### {node.function}\n")[2] for node in flow.nodes.values()}
    allowed = {
        call
        for page in pages.values()
        for call in CALL.findall(page.partition("Makes these calls: ")[2].partition("\n")[0])
    }
    assert set(CALL.findall(section.partition("**Calls.**")[2])) <= allowed


def test_the_table_of_recipes_has_each_with_its_steps() -> None:
    rows = re.findall(r"^\| \[([\w -]+)\]\(#([\w-]+)\) \| `(\w+)` \| (.*) \|$", RECIPES, re.MULTILINE)
    assert [title for title, *_ in rows] == [one.partition("\n")[0] for one in SECTIONS]
    for (_, _, trigger, steps), section in zip(rows, SECTIONS, strict=True):
        nodes = json.loads((FLOWS / f"{FILE.findall(section)[0]}.json").read_text("utf-8"))["nodes"]
        functions = [node["command"].rpartition(":")[2].partition("@")[0] for node in nodes]
        assert functions[0] == trigger
        assert set(re.findall(r"`(\w+)`", steps)) == set(functions[1:])


def test_every_docker_command_leads_to_functions_that_there_are() -> None:
    rows = ROW.findall(COMMANDS)
    assert len({command for command, _ in rows}) == len(rows) == COMMANDS.count("| `docker ")
    assert len(rows) >= MOST_USED
    for command, steps in rows:
        keys = set(re.findall(r"`(\w+)`", steps))
        assert keys, command
        assert keys <= TRIGGERS | ACTIONS, command


@pytest.mark.parametrize("page", ["README.md", "docs/flows.md"])
def test_the_cookbook_is_found(page: str) -> None:
    assert "cookbook.md)" in (ROOT / page).read_text("utf-8")
