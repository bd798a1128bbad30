"""containerLogs: each line that the lab itself read, once, or a gap for its container."""

from __future__ import annotations

from tests.triggers.soak.case import Case
from tests.triggers.soak.life import Life
from tests.triggers.soak.verdict import Verdict

LATE = 4
"""Seconds after which a line must be shown: two, and what the engine's clock and ours round."""


def judge(case: Case) -> Verdict:
    verdict = case.verdict()
    told = {(one.body["container"]["id"], one.body["text"]) for one in case.messages}
    noticed = {
        str(one.body.get("container", {}).get("id")) for one in case.notices if "container" in one.body
    }
    for identity, lines in case.record.lines.items():
        life = case.life(identity)
        has_gap = any(identity.startswith(one) for one in noticed)
        for text, at in lines.items():
            if at <= case.begin:
                continue
            if _readable(case, life, at):
                verdict.must((identity, text) in told, f"{text} at {at:.3f}")
            elif case.after(life.events[-1][0] + LATE):  # it went too early: a gap will do
                verdict.must((identity, text) in told, f"{text} at {at:.3f}, then removed", noticed=has_gap)
    for identity, text in told:
        names = case.record.names.get(identity, set())
        if not any(text.startswith(f"{name}.") for name in names):
            verdict.false.append(f"{text} of {names}")
    verdict.compare_ids(case.told, lambda one: (one.body["container"]["id"], one.body["text"]))
    return verdict


def _readable(case: Case, life: Life, at: float) -> bool:
    """Whether a poll found the container there when the line was to be shown."""
    return any(one.begin > at + LATE and life.there(one) for one in case.windows)
