"""Writes schemas, component.json, the README's lists and pages of docs/: `python -m lib.metadata.build`.

The version in component.json and in the Dockerfile is that of pyproject.toml. With --check, the program writes nothing,
prints one line for each stale file, and exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from lib.metadata import columns as column_words
from lib.metadata import commands as command_words
from lib.metadata import facts as fact_files
from lib.metadata import words as word_files
from lib.metadata.documentation import address
from lib.metadata.errors_page import errors_page
from lib.metadata.facts import Facts, Tree
from lib.metadata.image import dockerfile
from lib.metadata.jobs import load as load_jobs
from lib.metadata.jobs_page import jobs_list, jobs_page
from lib.metadata.layout import layout
from lib.metadata.manifest import manifest
from lib.metadata.missing import report
from lib.metadata.operations_page import operations_page
from lib.metadata.outputs import outputs
from lib.metadata.pages import between, readme, triggers_page
from lib.metadata.podman import Podman, podman_page
from lib.metadata.proxy_rules import proxy_page
from lib.metadata.schema_in import schema_in
from lib.metadata.schema_out import schema_out
from lib.metadata.words import Words

ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build or check; return the exit code: 0, or 1 for stale files, missing words or wrong facts."""
    parser = argparse.ArgumentParser(prog="build", description="Writes the generated files of the component.")
    parser.add_argument("--check", action="store_true", help="write nothing, name what is stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the component")
    options = parser.parse_args(arguments)
    root: Path = options.root
    try:
        facts = fact_files.load(root / "lib/metadata/facts")
        words = word_files.load(root / "lib/metadata/words")
        files = generated(root, facts, words)
    except ValueError as fault:
        print(fault, file=sys.stderr)
        return 1
    stale = [path for path, text in files.items() if _text(root / path) != text]
    dead = sorted(_names(root) - set(files))
    if not options.check:
        _write(root, {path: files[path] for path in stale}, dead)
    for path in (*stale, *dead):
        print(f"{path}: {'stale' if options.check else 'removed' if path in dead else 'written'}")
    lacking = report(words, facts)
    for line in lacking:
        print(line, file=sys.stderr)
    return 1 if lacking or (options.check and (stale or dead)) else 0


def generated(root: Path, facts: Facts, words: Words) -> dict[str, str]:
    """Return path below `root` -> text, for all generated files; raises ValueError for wrong facts."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    trees: dict[str, Tree] = {}
    for key in facts.operations:
        trees[f"schemas/{key}.in.json"] = schema_in(key, facts, words)
        trees[f"schemas/{key}.out.json"] = schema_out(key, facts, words)
    jobs = load_jobs(root / "lib/metadata/words/jobs", facts, words)
    for key, job in jobs.items():
        trees[f"schemas/{key}.in.json"], trees[f"schemas/{key}.out.json"] = job.schema_in(), job.schema_out()
    told = outputs(root)
    out = {key: trees[f"schemas/{key}.out.json"] for key in (*facts.operations, *jobs)}
    column_words.mark(column_words.load(root / "lib/metadata/words"), out | told)
    component = manifest(facts, words, jobs, project["version"], address(project), told)
    commands = command_words.load(root / "lib/metadata/words")
    command_words.mark(commands, component)
    files = {path: layout(tree) for path, tree in trees.items()}
    files["component.json"] = layout(component)
    files["Dockerfile"] = dockerfile(_text(root / "Dockerfile"), project["version"])
    files["README.md"] = readme(_text(root / "README.md"), component, facts, jobs_list(jobs))
    files["docs/triggers.md"] = triggers_page(_text(root / "docs/triggers.md"), component)
    files["docs/jobs.md"] = jobs_page(jobs, facts, words.settings)
    files["docs/cookbook.md"] = between(
        "docs/cookbook.md",
        _text(root / "docs/cookbook.md"),
        "commands",
        command_words.commands_table(commands),
    )
    files["docs/errors.md"] = errors_page(words.errors)
    files["docs/podman.md"] = podman_page(Podman.load(), facts, words, jobs)
    files["docs/proxy-rules.md"] = proxy_page(facts, jobs, words.triggers)
    files["docs/operations.md"] = operations_page(facts, words, trees)
    return files


def _names(root: Path) -> set[str]:
    return {f"schemas/{path.name}" for path in (root / "schemas").glob("*.json")}


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _write(root: Path, files: dict[str, str], dead: Sequence[str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for name in dead:
        (root / name).unlink()


if __name__ == "__main__":
    sys.exit(main())
