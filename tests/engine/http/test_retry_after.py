"""When to come back, as servers say it (fault 8.20)."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine import Endpoint, Engine
from lib.engine.errors import Busy, EngineFault
from lib.engine.http.retry import LONGEST_WAIT, Retry
from lib.engine.http.retry_after import LONGEST, retry_after
from lib.engine.request.upload import Upload
from tests.engine.scripted import Scripted, answer, say

DONE = answer(b'{"Id":"x"}')


def busy(header: str, status: str = "429 Too Many Requests") -> bytes:
    extra = f"Retry-After: {header}\r\n" if header else ""
    return f"HTTP/1.1 {status}\r\n{extra}Content-Length: 4\r\n\r\nbusy".encode()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 120 ", 120),
        ("999999999999", LONGEST),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 9999 07:28:00 GMT", LONGEST),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("1e9", None),
        ("5, 6", None),
        ("\u0663", None),
        ("soon", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 +99999999", None),
        ("9" * 5000, None),
        ("Wed, " + "9" * 100_000, None),
    ],
)
def test_seconds_and_dates(text: str | None, seconds: float | None) -> None:
    """Fault 8.20."""
    assert retry_after(text) == seconds


def test_a_date_is_so_many_seconds_ahead() -> None:
    """Fault 8.20."""
    told = retry_after(formatdate(time.time() + 3600, usegmt=True))
    assert told is not None
    assert 0 < told <= 3600


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_a_date_without_a_zone_is_in_utc(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 8.20: the oldest form of dates in HTTP was read in the time of this machine."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        told = retry_after(time.asctime(time.gmtime(time.time() + 3600)))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert told is not None
    assert 0 < told <= 3600


@given(st.text())
def test_any_text_is_a_time_or_nothing(text: str) -> None:
    """Fault 8.20."""
    told = retry_after(text)
    assert told is None or 0 <= told <= LONGEST


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_call_is_made_again_when_the_server_said(tmp_path: Path, status: str, method: str) -> None:
    """Fault 8.20: nothing was done, so a write is sent again as well."""
    with (
        Scripted(tmp_path, say(busy("0", status)), say(DONE)) as scripted,
        Engine(Endpoint.parse(scripted.url), retry=Retry(first=0.001)) as engine,
    ):
        assert getattr(engine, method)("/x").json() == {"Id": "x"}
        assert len(scripted.requests) == 2


@pytest.mark.parametrize(
    "header", [str(int(LONGEST_WAIT) + 1), "999999999999", "Wed, 21 Oct 9999 07:28:00 GMT"]
)
def test_nobody_is_waited_for_longer_than_a_while(tmp_path: Path, header: str) -> None:
    """Fault 8.20: the message comes again later instead."""
    with (
        Scripted(tmp_path, say(busy(header))) as scripted,
        Engine(Endpoint.parse(scripted.url), retry=Retry()) as engine,
    ):
        with pytest.raises(Busy) as caught:
            engine.post("/x")
        assert len(scripted.requests) == 1
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > LONGEST_WAIT


def test_a_server_that_stays_busy_is_asked_three_times(tmp_path: Path) -> None:
    """Fault 8.20."""
    with (
        Scripted(tmp_path, *[say(busy("0"))] * 3) as scripted,
        Engine(Endpoint.parse(scripted.url), retry=Retry(first=0.001)) as engine,
    ):
        with pytest.raises(Busy):
            engine.get("/x")
        assert len(scripted.requests) == 3


def test_a_server_that_names_no_time_is_not_asked_again_at_once(tmp_path: Path) -> None:
    """Fault 8.20: a registry that counts requests would count each try."""
    with (
        Scripted(tmp_path, say(busy(""))) as scripted,
        Engine(Endpoint.parse(scripted.url), retry=Retry(first=0.001)) as engine,
    ):
        with pytest.raises(Busy):
            engine.get("/x")
        assert len(scripted.requests) == 1


def test_a_503_that_names_no_time_is_repeated_for_reads_only(tmp_path: Path) -> None:
    """Fault 8.20."""
    away = busy("", "503 Service Unavailable")
    with (
        Scripted(tmp_path, say(away), say(DONE), say(away)) as scripted,
        Engine(Endpoint.parse(scripted.url), retry=Retry(first=0.001)) as engine,
    ):
        assert engine.get("/x").json() == {"Id": "x"}
        with pytest.raises(EngineFault):
            engine.post("/x")
        assert len(scripted.requests) == 3


def test_what_can_be_read_once_is_sent_once(tmp_path: Path) -> None:
    """Fault 8.20: the error is the server's, not that of a source that is used up."""
    with (
        Scripted(tmp_path, say(busy("0"))) as scripted,
        Engine(Endpoint.parse(scripted.url), retry=Retry(first=0.001)) as engine,
    ):
        with pytest.raises(Busy):
            engine.post("/x", body=Upload(iter([b"x" * 10]), 10))
        assert len(scripted.requests) == 1
