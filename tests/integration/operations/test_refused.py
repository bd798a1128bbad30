"""Operations that an engine does not have: the step says so, and what it would need."""

from __future__ import annotations

from typing import Any

import pytest

from lib.metadata import facts
from tests.integration.operations.kinds import KINDS, lacks, newer_than
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine

FACTS = facts.load()
EMPTY_TAR = bytes(10240)
EXAMPLES: dict[str, dict[str, Any]] = FACTS.examples


def cases() -> list[Any]:
    return [
        pytest.param(kind, key, marks=pytest.mark.operation(key, case="refused"), id=f"{kind}-{key}")
        for kind in KINDS
        for key in FACTS.operations
        if lacks(kind, key) and not KINDS[kind].operations
    ]


@pytest.mark.parametrize(("site", "key"), cases(), indirect=["site"], scope="session")
def test_an_operation_that_the_engine_lacks_is_refused(site: Site, key: str) -> None:
    body = dict(EXAMPLES[key])
    stored = {body["attachment"]: site.attachment(EMPTY_TAR)} if "attachment" in body else {}
    if newer_than(site.name, key):
        told = site.fails(key, body, "VersionMismatch", attachments=stored)
        assert f"-{site.version}" in told
        assert f"{key} needs {FACTS.operations[key]['since']}" in told
    else:
        told = site.fails(key, body, "NoSuchOperation", "NoManager", attachments=stored)
        assert "does not know the operation" in told
