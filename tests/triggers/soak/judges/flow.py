"""startFlow: one message for each poll."""

from __future__ import annotations

from tests.triggers.soak.case import Case
from tests.triggers.soak.verdict import Verdict


def judge(case: Case) -> Verdict:
    verdict = case.verdict()
    for window in case.windows:
        verdict.must(len(case.during(window)) == 1, f"the start at {window.begin:.3f}")
    verdict.compare_ids(case.told, lambda one: one.body["now"])
    return verdict
