"""The build session."""

from __future__ import annotations

import pytest

from tests.integration.operations.proving import failure, success
from tests.integration.operations.site import Site

pytestmark = pytest.mark.engine


@success("Session")
def test_a_session_is_opened_and_reported(site: Site) -> None:
    told = site.do("Session")
    assert told["upgraded"] is True
    assert told["protocol"] == "h2c"
    assert "ImageBuild" in told["note"]


@failure("Session")
def test_no_session_is_opened_where_no_engine_is(site: Site) -> None:
    site.fails("Session", {}, "Unreachable", otherServer=f"{site.engine.url}.gone")
