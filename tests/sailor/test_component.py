from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.sailor.component import Component
from lib.sailor.errors import ComponentError

MANIFEST = (
    '{"triggers": {"t": {"title": "T", "main": "./files/one.py"}}, "actions": {"a": {"main": "files/one"}}}'
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "component.json").write_text(MANIFEST)
    (tmp_path / "files").mkdir()
    before, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = before
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(folder: Path, text: str) -> Component:
    (folder / "files" / "one.py").write_text(text)
    return Component(str(folder))


def test_the_suffix_may_be_left_out(folder: Path) -> None:
    function = write(folder, "def process(): ...\ndef init(): ...\n").function("a")

    assert function.process is not None
    assert function.init is not None
    assert function.startup is None
    assert function.resolves_objects


def test_a_file_is_loaded_once_for_all_its_functions(folder: Path) -> None:
    component = write(folder, "made = object()\n")

    assert component.function("a").module is component.function("t").module


def test_a_declaration_brings_its_own_hooks(folder: Path) -> None:
    text = """
class Declared:
    key = "a"
    @staticmethod
    def process(*_): return "declared"
    @staticmethod
    def init(config): return "own init"

def handler(): ...
handler.declared = Declared
def process(*_): return "module"
def shutdown(): ...
"""
    component = write(folder, text)

    declared, other = component.function("a"), component.function("t")

    assert declared.process is not None
    assert declared.process() == "declared"
    assert declared.init is not None
    assert declared.shutdown is None
    assert other.process is not None
    assert other.process() == "module"
    assert other.shutdown is not None


def test_files_of_the_component_can_import_each_other(folder: Path) -> None:
    (folder / "files" / "two.py").write_text("value = 2\n")
    component = write(folder, "from files.two import value\ndef process(): return value\n")

    function = component.function("a")

    assert function.process is not None
    assert function.process() == 2


def test_a_file_whose_name_is_taken_is_loaded_all_the_same(folder: Path) -> None:
    (folder / "json.py").write_text("def process(): return 'mine'\n")
    (folder / "component.json").write_text('{"actions": {"a": {"main": "./json.py"}}}')

    function = Component(str(folder)).function("a")

    assert function.process is not None
    assert function.process() == "mine"
    assert "process" not in vars(sys.modules["json"])


@pytest.mark.parametrize("text", ["raise RuntimeError('at load')", "def (", "1 / 0"])
def test_a_file_that_cannot_be_loaded_keeps_its_cause(folder: Path, text: str) -> None:
    with pytest.raises(ComponentError, match="is found, but can not be loaded") as caught:
        write(folder, text).function("a")

    assert caught.value.__cause__ is not None


def test_a_path_is_relative_even_with_a_slash(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)

    assert Component.at(f"/{folder.name}").folder == str(folder)


def test_a_method_of_the_file_is_found_by_its_name(folder: Path) -> None:
    function = write(folder, "def getMetaModel(): return {}\nvalue = 1\n").function("a")

    assert function.method("getMetaModel")() == {}
    with pytest.raises(ComponentError, match='Method "value" is not found in "a" action or trigger'):
        function.method("value")


def test_a_manifest_that_is_no_json_is_named(folder: Path) -> None:
    (folder / "component.json").write_text("{")

    with pytest.raises(ComponentError, match=f"Failed to load component.json from {folder}"):
        Component(str(folder))
