"""An engine of each age, for what differs: the system's own (20.10), one of the newest, those of ENGINES."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from tests.lab.engine import LabEngine
from tests.lab.engine_folders import FOLDERS
from tests.lab.newer import NewerEngineError, binaries
from tests.lab.skipping import missing, skip_anywhere


@pytest.fixture(scope="module", params=["", "sid", *FOLDERS], ids=["system", "newest", *FOLDERS])
def engine(request: Any) -> Iterator[LabEngine]:
    """An engine that nobody else's events reach, and that may be stopped."""
    try:
        if request.param in FOLDERS:
            begun = FOLDERS[request.param].begin()
        else:
            begun = LabEngine.begin(binaries=str(binaries(request.param)) if request.param else "")
    except (NewerEngineError, PrivateEngineError, LocalImageError) as problem:
        (skip_anywhere if request.param else missing)(str(problem))
    yield begun
    begun.close()
