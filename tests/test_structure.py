"""The house rules that a reader of one file cannot see: floors, circles, one name for one operation everywhere."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.integration.operations.kinds import KINDS
from tests.lab.waiting import DEADLINE
from tests.schedule import OPERATIONS, group

ROOT = Path(__file__).parent.parent
# Who may import whom besides itself. What is not named here may import nothing of the project.
FLOORS = {
    "lib.jsontext": set(),
    "lib.resolving": set(),
    "lib.engine": {"lib.jsontext", "lib.resolving"},
    "lib.sailor": {"lib.jsontext", "lib.resolving"},
    "lib.field_names": set(),
    "lib.schema": {"lib.field_names"},
    "lib.metadata": {"lib.schema"},
    "lib.cursor": set(),
    "lib.form": {"lib.engine"},
    "lib.labels": {"lib.engine"},
    "lib.declared_fields": {"lib.jsontext", "lib.engine", "lib.form"},
    "lib.policy": {"lib.engine", "lib.form"},
    "lib.credentials": {"lib.labels", "lib.engine", "lib.form"},
    "lib.filled": {"lib.engine"},
    "lib.attachment_storage": {"lib.engine", "lib.sailor"},
    "lib.sources": {"lib.engine", "lib.sailor", "lib.attachment_storage"},
    "lib.uploads": {"lib.engine", "lib.sailor", "lib.sources"},
    "lib.ages": {"lib.engine"},
    "lib.message_secrets": {"lib.sailor"},
    "lib.process_output": {"lib.jsontext", "lib.sailor", "lib.policy", "lib.attachment_storage"},
    "lib.stream_messages": {
        "lib.jsontext",
        "lib.engine",
        "lib.sailor",
        "lib.policy",
        "lib.process_output",
        "lib.attachment_storage",
    },
    "lib.answer": {
        "lib.jsontext",
        "lib.engine",
        "lib.sailor",
        "lib.policy",
        "lib.process_output",
        "lib.stream_messages",
    },
    "lib.action": {
        "lib.engine",
        "lib.sailor",
        "lib.labels",
        "lib.schema",
        "lib.field_names",
        "lib.policy",
        "lib.credentials",
        "lib.declared_fields",
        "lib.uploads",
        "lib.answer",
        "lib.ages",
        "lib.message_secrets",
        "lib.filled",
    },
    "lib.polling": {"lib.jsontext", "lib.engine", "lib.sailor", "lib.cursor", "lib.form"},
    "lib.selection": {"lib.engine", "lib.sailor", "lib.credentials", "lib.form", "lib.polling"},
    "lib.trigger": {
        "lib.engine",
        "lib.sailor",
        "lib.cursor",
        "lib.credentials",
        "lib.declared_fields",
        "lib.form",
        "lib.polling",
    },
    "lib.local": {
        "lib.jsontext",
        "lib.engine",
        "lib.sailor",
        "lib.schema",
        "lib.metadata",
        "lib.credentials",
    },
    "actions": {"lib.engine", "lib.action", "lib.answer"},
    "triggers": {
        "lib.engine",
        "lib.sailor",
        "lib.trigger",
        "lib.form",
        "lib.polling",
        "lib.selection",
        "lib.cursor",
        "lib.credentials",
    },
    "verify_credentials": {"lib.engine", "lib.sailor", "lib.credentials", "lib.declared_fields"},
}
MANIFEST = json.loads((ROOT / "component.json").read_text("utf-8"))
ACTIONS = sorted(MANIFEST["actions"])
TRIGGERS = sorted(MANIFEST["triggers"])


def files() -> list[Path]:
    found = [*ROOT.glob("lib/**/*.py"), *ROOT.glob("actions/*.py"), *ROOT.glob("triggers/*.py")]
    return [*found, ROOT / "verify_credentials.py"]


def name_of(path: Path) -> str:
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return dotted.removesuffix(".__init__")


MODULES = {name_of(found) for found in files()}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, module of the project) for each import, also those inside functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                yield node.lineno, below if below in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


def floor(module: str) -> str:
    """The part of the house that a module belongs to."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "lib" else parts[0]


def ours(module: str) -> bool:
    return (
        module.partition(".")[0] in ("lib", "actions", "triggers", "verify_credentials") and module != "lib"
    )


def test_imports_run_downwards() -> None:
    broken = []
    for path in files():
        here = floor(name_of(path))
        for line, module in imports(path):
            there = floor(module)
            if ours(module) and there != here and there not in FLOORS.get(here, set()):
                broken.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not broken, "\n".join(broken)


def test_imports_have_no_circles() -> None:
    graph = {name_of(path): {m for _, m in imports(path) if ours(m)} for path in files()}
    for package in [name for name in graph if (ROOT / name.replace(".", "/")).is_dir()]:
        graph[package].discard(package)
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_files_stay_small_and_are_named_for_a_concept() -> None:
    for path in files():
        assert path.stem not in ("utils", "util", "helpers", "common", "misc", "base"), path
        assert len(path.read_text("utf-8").splitlines()) <= 300, path


def declared() -> dict[str, str]:
    """Key -> file, for everything that a file of actions/ or triggers/ declares."""
    found = {}
    for folder in ("actions", "triggers"):
        for path in (ROOT / folder).glob("*.py"):
            module = importlib.import_module(name_of(path))
            plain = [key for key in TRIGGERS if path.name == Path(MANIFEST["triggers"][key]["main"]).name]
            if hasattr(module, "process"):
                found[plain[0]] = f"./{folder}/{path.name}"
            for value in vars(module).values():
                key = getattr(getattr(value, "declared", None), "key", None)
                if key and value.__module__ == module.__name__:
                    assert key not in found, f"{key} is declared twice"
                    found[key] = f"./{folder}/{path.name}"
    return found


def test_manifest_and_handlers_are_one_to_one() -> None:
    entries = {**MANIFEST["actions"], **MANIFEST["triggers"]}
    assert declared() == {key: entry["main"] for key, entry in entries.items()}


def test_manifest_and_schemas_are_one_to_one() -> None:
    there = {path.name for path in (ROOT / "schemas").iterdir()}
    needed = {f"{key}.{way}.json" for key in ACTIONS for way in ("in", "out")}
    assert {name for name in there if not name.startswith(tuple(f"{key}." for key in TRIGGERS))} == needed


def test_readme_names_every_action_and_trigger() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    tables = "".join(re.findall(r"<!-- build:\w+ -->.*?<!-- /build -->", readme, re.DOTALL))
    rows = re.findall(r"^\| [^|]*`(\w+)` \|", tables, re.MULTILINE)
    assert sorted(rows) == sorted([*ACTIONS, *TRIGGERS])


@pytest.mark.parametrize("key", ACTIONS)
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
    some = ["tests/engine/test_version.py", "tests/test_ages.py", "tests/metadata/test_layout.py"]
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
    assert group("tests/test_ages.py::test_x[20.10]") == "tests/test_ages.py"
