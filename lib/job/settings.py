"""The settings that jobs share (docs/jobs.md): how long, what then, and whether anything may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.config.form import choice, flag, number, whole

SECONDS = 300.0
OUTPUT_BYTES = 2 * 1024 * 1024
COME_BACK, FAIL, STOP, EMIT = "comeBackLater", "fail", "stop", "emit"
REMOVE, KEEP = "remove", "keep"
REPORT, RUN_AGAIN = "report", "runAgain"
_SHORTEST = 0.001  # seconds of a limit


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Settings of a job after parsing; those that its manifest entry does not list have their defaults."""

    max_seconds: float = SECONDS
    """One stay in the step."""
    overall_seconds: float = 0.0
    """All stays together, over all rebounds; 0: no end of its own."""
    when_time_is_up: str = COME_BACK
    dry_run: bool = False
    bad_exit: str = FAIL
    bad_outcome: str = FAIL
    evidence: str = REMOVE
    on_repeat: str = REPORT
    kill_after: float = 0.0
    """Seconds after which a command is ended; 0: never."""
    max_bytes: int = OUTPUT_BYTES
    """Of a program's output."""

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> JobSettings:
        """Read the settings of a step; a wrong one is a BadInput that names it."""
        return cls(
            max_seconds=number(config, "maxSeconds", SECONDS, least=_SHORTEST),
            overall_seconds=number(config, "overallSeconds", 0, least=_SHORTEST),
            when_time_is_up=choice(config, "whenTimeIsUp", (COME_BACK, FAIL, STOP, EMIT)),
            dry_run=flag(config, "dryRun"),
            bad_exit=choice(config, "badExit", (FAIL, EMIT)),
            bad_outcome=choice(config, "badOutcome", (FAIL, EMIT)),
            evidence=choice(config, "evidence", (REMOVE, KEEP)),
            kill_after=number(config, "killAfter", 0, least=_SHORTEST),
            on_repeat=choice(config, "onRepeat", (REPORT, RUN_AGAIN, FAIL)),
            max_bytes=whole(config, "maxBytes", OUTPUT_BYTES, least=1),
        )
