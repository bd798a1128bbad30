"""One engine of each age for all recipes, and a kitchen for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.recipes.kitchen import Kitchen
from tests.jobs.engines import BOTH, begin
from tests.lab.engine import LabEngine
from tests.lab.registry import Registry, RegistryError
from tests.lab.skipping import missing


@pytest.fixture(scope="package", params=BOTH)
def recipe_engine(request: Any) -> Iterator[LabEngine]:
    """An engine of the recipes' own: some of them clean up whatever they find."""
    engine = begin(request.param)
    yield engine
    engine.close()


@pytest.fixture(scope="package")
def recipe_registry(recipe_engine: LabEngine) -> Iterator[Registry]:
    """An open registry beside that engine."""
    try:
        registry = Registry(recipe_engine)
    except RegistryError as problem:
        missing(str(problem))
    yield registry
    registry.close()


@pytest.fixture
def kitchen(recipe_engine: LabEngine, tmp_path: Path) -> Iterator[Kitchen]:
    kitchen = Kitchen(recipe_engine, tmp_path)
    yield kitchen
    kitchen.tidy()
