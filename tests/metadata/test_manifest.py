from __future__ import annotations

import json
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from lib.action.settings import ARCHIVE_BYTES, DEFAULTS, WORK
from lib.engine.timeouts import Timeouts
from lib.metadata.facts import load
from lib.metadata.jobs import load as load_jobs
from lib.metadata.words import load as load_words
from tests.metadata.component_check import problems

ROOT = Path(__file__).parents[2]
COMPONENT = json.loads((ROOT / "component.json").read_text("utf-8"))
OLDER = json.loads((Path(__file__).parent / "older_inputs.json").read_text("utf-8"))
FACTS = load()


def test_the_manifest_passes_the_checks_of_the_platform():
    assert problems(ROOT) == []


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert COMPONENT["version"] == project["version"]


def test_every_operation_is_an_action_and_every_action_an_operation():
    operations = {key for key, item in COMPONENT["actions"].items() if "/jobs/" not in item["main"]}
    assert operations == set(FACTS.operations)
    assert len(operations) == 108


def test_each_operation_names_the_jobs_that_stand_for_it_and_each_job_names_the_operations():
    page = (ROOT / "docs/jobs.md").read_text("utf-8")
    jobs = load_jobs(ROOT / "lib/metadata/words/jobs", FACTS, load_words())
    named = {key for job in jobs.values() for key in job.replaces}
    assert {key for key, job in jobs.items() if not job.replaces} == {"EngineRequest", "SettleOutcome"}
    for key in FACTS.operations:
        said = COMPONENT["actions"][key]["help"]["description"]
        standing = [job.key for job in jobs.values() if key in job.replaces]
        assert ("in one step" in said) == (key in named)
        assert all(job in said.rpartition(". The job")[2] for job in standing), (key, said)
    for job in jobs.values():
        said = COMPONENT["actions"][job.key]["help"]["description"]
        section = page.partition(f"### {job.key}\n")[2].partition("\n### ")[0]
        places = ", ".join(f"`{key}`" for key in job.replaces) or "no operation"
        assert f"- In place of: {places}\n" in section
        assert not job.replaces or said.endswith(f" In place of {', '.join(job.replaces)}.")


def test_the_keys_of_the_older_connector_are_all_there():
    assert len(OLDER) == 105
    assert set(OLDER) <= set(COMPONENT["actions"])
    assert {"startFlow"} <= set(COMPONENT["triggers"])
    assert {"server", "otherServer"} <= set(COMPONENT["credentials"]["fields"])


@pytest.mark.parametrize("key", OLDER)
def test_the_input_names_of_the_older_connector_are_all_there(key):
    schema = json.loads((ROOT / f"schemas/{key}.in.json").read_text("utf-8"))
    assert set(OLDER[key]) <= set(schema["properties"])


def test_the_values_of_the_older_server_field_still_name_a_server():
    assert {"0", "1", "2", "unix"} == set(COMPONENT["credentials"]["fields"]["server"]["model"])


def test_orders_of_actions_are_distinct_and_grouped_by_file():
    actions = list(COMPONENT["actions"].values())
    assert [action["order"] for action in actions] == sorted((a["order"] for a in actions), reverse=True)
    files = [action["main"] for action in actions]
    changes = [now for before, now in pairwise(files) if before != now]
    assert len(changes) == len(set(changes))


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("ContainerList", {"emitBehavior", "errorPolicy", "outputForm", "verbose"}),
        ("ContainerInspect", {"notFound", "errorPolicy", "outputForm", "verbose"}),
        ("ContainerStart", {"errorPolicy", "outputForm", "verbose"}),
        ("ContainerArchive", {"notFound", "maxBytes", "maxSeconds", "idleSeconds", "errorPolicy", "verbose"}),
        ("ContainerWait", {"maxSeconds", "errorPolicy", "outputForm", "verbose"}),
        (
            "SystemEvents",
            {"emitBehavior", "errorPolicy", "maxItems", "maxBytes", "maxSeconds", "idleSeconds", "verbose"},
        ),
        ("ImagePush", {"emitBehavior", "errorPolicy", "maxSeconds", "idleSeconds", "verbose"}),
        (
            "ExecStart",
            {"output", "errorPolicy", "maxBytes", "maxSeconds", "idleSeconds", "unknownFields", "verbose"},
        ),
    ],
)
def test_an_action_offers_the_settings_that_make_sense_for_its_answer(key, fields):
    assert set(COMPONENT["actions"][key]["fields"]) == fields


def test_the_defaults_that_settings_name_are_those_of_the_steps():
    def placeholder(key, name):
        return int(COMPONENT["actions"][key]["fields"][name]["placeholder"])

    assert placeholder("ContainerLogs", "maxItems") == DEFAULTS.max_items
    assert placeholder("ContainerLogs", "maxBytes") == DEFAULTS.max_bytes
    assert placeholder("ContainerLogs", "maxSeconds") == DEFAULTS.max_seconds
    assert placeholder("ContainerLogs", "idleSeconds") == DEFAULTS.idle_seconds
    assert placeholder("ImagePush", "maxSeconds") == WORK.max_seconds
    assert placeholder("ImagePush", "idleSeconds") == WORK.idle_seconds
    assert placeholder("ImageGet", "maxSeconds") == WORK.max_seconds
    assert placeholder("ContainerWait", "maxSeconds") == Timeouts().wait.total
    assert placeholder("ImageGet", "maxBytes") == ARCHIVE_BYTES


def test_the_component_check_sees_what_is_wrong(tmp_path):
    broken = json.loads(json.dumps(COMPONENT))
    broken["actions"]["startFlow"] = {"title": "Twice"}
    broken["actions"]["ContainerList"]["fields"]["emitBehavior"].pop("model")
    (tmp_path / "component.json").write_text(json.dumps(broken))
    (tmp_path / "logo.png").write_bytes((ROOT / "logo.png").read_bytes())
    found = problems(tmp_path)
    assert "startFlow is both trigger and action" in found
    assert "actions.startFlow has no main" in found
    assert "actions.ContainerList.emitBehavior has no model" in found
    assert "actions.ContainerInspect has no in metadata" in found
