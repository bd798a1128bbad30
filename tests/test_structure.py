"""One name for one operation everywhere: manifest, handlers, schemas, README; and how the tests are spread."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.operations.kinds import KINDS
from tests.lab.waiting import DEADLINE
from tests.schedule import OPERATIONS, group

ROOT = Path(__file__).parent.parent
MANIFEST = json.loads((ROOT / "component.json").read_text("utf-8"))
ACTIONS = sorted(MANIFEST["actions"])
JOBS = sorted(key for key in ACTIONS if "/jobs/" in MANIFEST["actions"][key]["main"])
OPERATIONS_KEYS = sorted(set(ACTIONS) - set(JOBS))
TRIGGERS = sorted(MANIFEST["triggers"])


def name_of(path: Path) -> str:
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return dotted.removesuffix(".__init__")


def declared() -> dict[str, str]:
    """Key -> file, for everything that a file of actions/ or triggers/ declares."""
    found = {}
    for folder in ("actions", "triggers"):
        for path in (ROOT / folder).rglob("*.py"):
            module = importlib.import_module(name_of(path))
            plain = [key for key in TRIGGERS if path.name == Path(MANIFEST["triggers"][key]["main"]).name]
            if hasattr(module, "process"):
                found[plain[0]] = f"./{folder}/{path.name}"
            for value in vars(module).values():
                key = getattr(getattr(value, "declared", None), "key", None)
                if key and value.__module__ == module.__name__:
                    assert key not in found, f"{key} is declared twice"
                    found[key] = f"./{path.relative_to(ROOT)}"
    return found


def test_manifest_and_handlers_are_one_to_one() -> None:
    entries = {**MANIFEST["actions"], **MANIFEST["triggers"]}
    assert declared() == {key: entry["main"] for key, entry in entries.items()}


def test_manifest_and_schemas_are_one_to_one() -> None:
    there = {path.name for path in (ROOT / "schemas").iterdir()}
    needed = {f"{key}.{way}.json" for key in ACTIONS for way in ("in", "out")}
    assert {name for name in there if not name.startswith(tuple(f"{key}." for key in TRIGGERS))} == needed


@pytest.mark.parametrize(
    ("page", "keys"), [("operations", OPERATIONS_KEYS), ("jobs", JOBS), ("triggers", TRIGGERS)]
)
def test_each_page_has_a_table_that_leads_to_every_function(page: str, keys: list[str]) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    rows = re.findall(r"^\| \[[^|]*\]\(#(\w+)\) `(\w+)` \|", text, re.MULTILINE)
    assert sorted(key for _, key in rows) == keys
    assert all(anchor == key.lower() for anchor, key in rows)
    assert set(keys) <= set(re.findall(r"^##+ (\w+)$", text, re.MULTILINE))


def test_the_readme_leads_to_every_trigger_job_and_resource_and_counts_them() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    triggers, jobs = (
        re.findall(rf"\[(\w+)\]\(docs/{page}\.md#\w+\)", readme) for page in ("triggers", "jobs")
    )
    operations = [int(count) for count in re.findall(r"\[\w+\]\(docs/operations\.md#\w+\) (\d+)", readme)]
    assert (sorted(triggers), sorted(jobs), sum(operations)) == (TRIGGERS, JOBS, len(OPERATIONS_KEYS))
    for number in (f"{len(JOBS)} jobs", f"{len(OPERATIONS_KEYS)} operations", f"{len(TRIGGERS)} triggers"):
        assert f"**{number}**" in readme


def test_the_readme_is_read_to_its_end() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 150


@pytest.mark.parametrize("key", OPERATIONS_KEYS)
def test_a_handlers_docstring_names_its_method_and_path(key: str) -> None:
    schema = json.loads((ROOT / "schemas" / f"{key}.in.json").read_text("utf-8"))
    module = importlib.import_module(MANIFEST["actions"][key]["main"][2:-3].replace("/", "."))
    handler = next(
        value
        for value in vars(module).values()
        if getattr(getattr(value, "declared", None), "key", None) == key
    )
    assert f"{schema['x-method']} {schema['x-path']}" in (handler.__doc__ or "")


def test_each_file_runs_in_one_process() -> None:
    """fault 8.35: what a file shares is begun once, and not in each of the processes of a full run."""
    some = [
        "tests/engine/test_version.py",
        "tests/actions/test_field_versions.py",
        "tests/metadata/test_layout.py",
    ]
    command = [sys.executable, "-m", "pytest", "-n", "2", "-v", *some]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=DEADLINE)
    where: dict[str, set[str]] = {}
    for process, file in re.findall(r"^\[(gw\d)\].* PASSED ([^:]+)::", done.stdout, re.MULTILINE):
        where.setdefault(file, set()).add(process)
    assert where.keys() == set(some), done.stdout
    assert {len(processes) for processes in where.values()} == {1}


def test_operations_on_one_engine_run_in_one_process() -> None:
    """fault 8.35: each engine is begun once."""
    place = "tests/integration/operations/test_x.py::test_y"
    groups = [group(f"{place}[{kind}{more}]") for kind in KINDS for more in ("", "-Name", "-a-b")]
    assert groups == [f"{OPERATIONS} on {kind}" for kind in KINDS for _ in range(3)]
    assert (
        group("tests/actions/test_field_versions.py::test_x[20.10]") == "tests/actions/test_field_versions.py"
    )
