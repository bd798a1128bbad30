"""What an engine writes where a time is expected, and cannot be one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.engine import Endpoint, Engine
from lib.engine.errors import EngineError, StreamFailed
from lib.trigger.clock import engine_time, nanoseconds
from tests.engine.scripted import Scripted, say


@pytest.mark.parametrize("date", ["yesterday", "Mon, 99 Jan 2026 00:00:00 GMT", "1" * 5000, "\xff"])
def test_a_date_that_is_none_is_an_error_of_the_engine(date: str, tmp_path: Path) -> None:
    """Fault 8.30: it was a ValueError."""
    head = f"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nDate: {date}\r\n\r\n"
    with Scripted(tmp_path, say(head.encode("latin-1"))) as fake:
        engine = Engine(Endpoint.parse(fake.url))
        with pytest.raises(EngineError, match="Date"):
            engine_time(engine)
        engine.close()


@pytest.mark.parametrize("time", ["", "now", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-12:00", "1" * 5000])
def test_a_time_that_is_none_is_a_failed_stream(time: str) -> None:
    """Fault 8.30: it was a ValueError."""
    with pytest.raises(StreamFailed, match="time"):
        nanoseconds(time)
