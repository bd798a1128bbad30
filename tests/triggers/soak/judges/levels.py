"""resourceThreshold and diskUsage: what was surely above or below a limit while a poll looked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.triggers.soak.case import Case
from tests.triggers.soak.record import Level
from tests.triggers.soak.step import Window
from tests.triggers.soak.verdict import Verdict


def memory(case: Case) -> Verdict:
    return _judge(case, lambda body: str(body["container"]["id"]))


def disk(case: Case) -> Verdict:
    return _judge(case, lambda body: str(body["what"]))


def _judge(case: Case, of: Callable[[Mapping[str, Any]], str]) -> Verdict:
    verdict = case.verdict()
    for what in sorted({of(one.body) for one in case.messages} | _watched(case)):
        levels = case.record.levels.get(what, [])
        fired = False
        for window in case.windows:
            events = [one.body["event"] for one in case.during(window) if of(one.body) == what]
            high = _surely(levels, window)
            if high is not None and high != fired:
                verdict.must(bool(events), f"{what} {'above' if high else 'below'} at {window.begin:.3f}")
            fired = events[-1] == "exceeded" if events else fired
        for one in case.messages:
            if of(one.body) == what and not _possible(levels, one.at, one.body["event"] == "exceeded"):
                verdict.false.append(f"{what} {one.body['event']} at {one.at:.3f}")
    verdict.compare_ids(case.told, lambda one: (of(one.body), one.body["event"], case.poll_before(one.at)))
    return verdict


def _watched(case: Case) -> set[str]:
    return {what for what in case.record.levels if (what == "volumes") == (case.trigger == "diskUsage")}


def _surely(levels: list[Level], window: Window) -> bool | None:
    """Whether it was above during the whole poll; None where it may have turned."""
    past = [one for one in levels if one.span.begin <= window.end]
    return past[-1].high if past and past[-1].span.end < window.begin else None


def _possible(levels: list[Level], at: float, high: bool) -> bool:
    """Whether it can have been so within the half minute before a message: a poll takes its time."""
    ages = zip(levels, [*(one.span.begin for one in levels[1:]), float("inf")], strict=True)
    return any(one.high == high and one.span.begin < at and until > at - 30 for one, until in ages)
