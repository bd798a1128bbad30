"""imageUpdated: a reference that surely has another digest than at the poll before."""

from __future__ import annotations

from collections import Counter
from functools import partial

from tests.triggers.soak.case import Case
from tests.triggers.soak.step import Window
from tests.triggers.soak.verdict import Verdict


def judge(case: Case) -> Verdict:
    verdict = case.verdict()
    references = sorted({reference for _, reference, _ in case.record.pushes})
    for reference in references:
        for before, now, _, new in case.changes(partial(_digest, case, reference)):
            told = {(one.body["reference"], one.body["digest"]) for one in case.during(before, now)}
            verdict.must((reference, new) in told, f"{reference} {new} at {now.begin:.3f}")
    pushed = Counter((reference, digest) for _, reference, digest in case.record.pushes)
    ids = {one.id: (one.body["reference"], one.body["digest"]) for one in case.messages}
    for what, count in Counter(ids.values()).items():
        if what not in pushed:
            verdict.false.append(f"{what} was never pushed")
        elif count > pushed[what]:
            verdict.other.append(f"{what} told {count} times, pushed {pushed[what]} times")
    verdict.compare_ids(case.told, lambda one: (one.body["reference"], one.body["digest"], one.id))
    return verdict


def _digest(case: Case, reference: str, window: Window) -> str | None:
    """The digest during a poll; None where a push may have moved it."""
    found = None
    for span, name, digest in case.record.pushes:
        if name == reference and span.begin <= window.end:
            found = digest if span.end < window.begin else None
    return found
