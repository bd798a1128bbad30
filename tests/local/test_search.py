"""Which functions `list WORD` finds, and in which order."""

from __future__ import annotations

import pytest

from lib.local.catalog.catalog import Catalog
from lib.local.catalog.search import found
from lib.local.component_folder import OWN_COMPONENT

CATALOG = Catalog.read(OWN_COMPONENT)


def keys(*words: str) -> list[str]:
    return [function.key for function in found(CATALOG, words)]


def test_without_words_all_are_found_in_the_order_of_the_manifest() -> None:
    assert keys() == list(CATALOG.functions)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("run", "RunContainer"),
        ("docker run", "RunContainer"),
        ("RUN", "RunContainer"),
        ("ContainerPrune", "ContainerPrune"),
        ("containerlist", "ContainerList"),
        ("volume create", "VolumeCreate"),
        ("rename", "ContainerRename"),
        ("nightmare", ""),
        ("docker nosuch", ""),
    ],
)
def test_the_best_match_is_first(words: str, first: str) -> None:
    assert (*keys(*words.split()), "")[0] == first


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("healthy", "WaitForContainer"),
        ("healthy", "containerStateChanged"),
        ("ps", "ContainerList"),
        ("df", "diskUsage"),
    ],
)
def test_descriptions_and_commands_are_searched(word: str, key: str) -> None:
    assert key in keys(word)


def test_all_words_have_to_be_there() -> None:
    assert set(keys("volume", "backup")) <= set(keys("volume")) & set(keys("backup"))
    assert keys("volume", "backup")
