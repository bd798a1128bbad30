from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest

from lib.metadata.build import main
from tests.test_references import anchors

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


@pytest.fixture
def copy(tmp_path):
    """A copy of everything that a build reads and writes."""
    for name in ("lib/metadata", "schemas", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("component.json", "README.md", "pyproject.toml", "Dockerfile"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def change(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def check(root):
    return main(["--check", "--root", str(root)])


def test_the_generated_files_are_fresh_and_a_fresh_build_is_silent(capsys):
    assert check(ROOT) == 0
    assert capsys.readouterr() == ("", "")


def test_a_changed_title_makes_the_check_name_the_stale_files(copy, capsys):
    change(copy / "lib/metadata/words/operations/containers.toml", '"List containers"', '"Show containers"')
    before = (copy / "component.json").read_bytes()
    assert check(copy) == 1
    assert capsys.readouterr().out.splitlines() == [
        "schemas/ContainerList.in.json: stale",
        "schemas/ContainerList.out.json: stale",
        "component.json: stale",
        "docs/operations.md: stale",
    ]
    assert (copy / "component.json").read_bytes() == before


def test_a_build_writes_what_is_stale_and_nothing_else(copy, capsys):
    change(copy / "lib/metadata/words/settings.toml", 'label = "Unknown fields"', 'label = "Other fields"')
    assert main(["--root", str(copy)]) == 0
    assert capsys.readouterr().out == "component.json: written\n"
    assert check(copy) == 0


def test_the_version_of_the_project_is_written_wherever_it_is_told(copy, capsys):
    change(copy / "pyproject.toml", f'version = "{VERSION}"', 'version = "7.6.5"')
    assert check(copy) == 1
    assert capsys.readouterr().out == "component.json: stale\nDockerfile: stale\n"

    main(["--root", str(copy)])

    assert json.loads((copy / "component.json").read_text("utf-8"))["version"] == "7.6.5"
    before = (ROOT / "Dockerfile").read_text("utf-8")
    assert (copy / "Dockerfile").read_text("utf-8") == before.replace(VERSION, "7.6.5")


HOME = "https://git.example.org/team/connector/blob/main"


def with_documentation(root, address):
    change(
        root / "pyproject.toml",
        "[project.optional",
        f'[project.urls]\nDocumentation = "{address}"\n\n[project.optional',
    )


def test_without_an_address_of_the_documentation_the_help_has_no_links():
    component = json.loads((ROOT / "component.json").read_text("utf-8"))
    entries = [component, *component["actions"].values(), *component["triggers"].values()]
    assert all(set(entry["help"]) == {"description"} for entry in entries)


@pytest.mark.parametrize("address", [HOME, HOME + "/"])
def test_with_an_address_each_help_leads_to_a_section_of_its_own(copy, address):
    with_documentation(copy, address)
    assert main(["--root", str(copy)]) == 0

    component = json.loads((copy / "component.json").read_text("utf-8"))
    entries = component["actions"] | component["triggers"]
    links = {key: entry["help"]["link"] for key, entry in entries.items()}
    assert component["help"]["link"] == f"{HOME}/README.md"
    assert len(set(links.values())) == len(links)
    for key, link in links.items():
        page, _, anchor = link.removeprefix(f"{HOME}/").partition("#")
        assert anchor == key.lower()
        assert anchor in anchors(copy / page), link


@pytest.mark.parametrize(
    "address", ["docs/", "ftp://host/", "https:///docs", "https://host/?page=", "https://host/#top"]
)
def test_an_address_that_is_none_is_an_error(copy, address, capsys):
    with_documentation(copy, address)
    assert check(copy) == 1
    assert "Documentation" in capsys.readouterr().err


def test_a_dockerfile_without_the_argument_for_the_version_is_an_error(copy, capsys):
    change(copy / "Dockerfile", "ARG VERSION=", "ARG RELEASE=")
    assert check(copy) == 1
    assert "ARG VERSION" in capsys.readouterr().err


def test_a_schema_of_no_operation_is_named_and_removed(copy, capsys):
    stray = copy / "schemas/Gone.in.json"
    stray.write_text("{}")
    assert check(copy) == 1
    assert capsys.readouterr().out == "schemas/Gone.in.json: stale\n"
    main(["--root", str(copy)])
    assert not stray.exists()


def test_missing_words_and_words_for_nothing_are_named(copy, capsys):
    words = copy / "lib/metadata/words/operations/containers.toml"
    change(words, "\nlimit = [", "\nlimits = [")
    assert check(copy) == 1
    assert capsys.readouterr().err.splitlines() == [
        "words missing: [ContainerList.fields] limit",
        "words for nothing: [ContainerList.fields] limits",
    ]


def test_prose_of_the_readme_stays_and_missing_markers_are_an_error(copy, capsys):
    readme = copy / "README.md"
    change(readme, "<!-- build:actions -->", "Some prose.\n<!-- build:actions -->")
    assert check(copy) == 0
    change(readme, "<!-- build:actions -->", "")
    assert check(copy) == 1
    assert "build:actions" in capsys.readouterr().err


def test_two_tables_of_one_name_are_an_error(copy, capsys):
    (copy / "lib/metadata/words/operations/zzz.toml").write_text('[ContainerList]\ntitle = "Again"\n')
    assert check(copy) == 1
    assert "[ContainerList] is written twice" in capsys.readouterr().err


def test_an_operation_that_a_fact_file_forgot_is_named(copy, capsys):
    change(copy / "lib/metadata/facts/examples.json", '"ContainerTop"', '"ContainerTip"')
    assert check(copy) == 1
    assert "facts/" in capsys.readouterr().err
