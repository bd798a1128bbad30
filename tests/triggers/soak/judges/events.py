"""engineEvents: each event that the lab's own reader got, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.trigger.clock import SECOND
from tests.triggers.soak.case import Case, seconds
from tests.triggers.soak.verdict import Verdict

EDGE = 2
LATE = 4
"""Seconds after which an event must be shown."""


def judge(case: Case) -> Verdict:
    verdict = case.verdict()
    told = {_key(one.body) for one in case.messages}
    gaps = [
        (seconds(one.body["from"]) - EDGE, seconds(one.body["to"]))
        for one in case.notices
        if "from" in one.body
    ]
    known = set()
    for event in case.events:
        key, at = _key(event), event["timeNano"] / SECOND
        known.add(key)
        if case.begin < at < case.windows[-1].begin - LATE:
            noticed = any(begin <= at <= end for begin, end in gaps)
            verdict.must(key in told, f"{key} at {at:.3f}", noticed=noticed)
    verdict.false += [f"{key} did not happen" for key in told - known]
    verdict.compare_ids(case.told, lambda one: _key(one.body))
    return verdict


def _key(event: Mapping[str, Any]) -> tuple[str, ...]:
    return event["Type"], event["Action"], event["Actor"]["ID"], str(event["timeNano"])
