"""Faults of a registry that the next moment may not have: the call is made again, a few times, before it is an error.

An engine passes on what a registry says of its own trouble as a fault of its own (500), or as a failure inside the
stream. What is known to fail again, a wrong login for one, is not tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lib.engine.errors import EngineError, EngineFault, NotSupported, StreamFailed
from lib.engine.http.known_refusals import known_in_stream
from lib.job.errors import Interrupted
from lib.job.work import Work

T = TypeVar("T")
PAUSES = (0.5, 2.0)
"""Seconds before the second and the third try."""
_WELL = 200  # the status of an answer that has not the form of one, and will not have it later


def tried_again(work: Work, call: Callable[[], T], before: Callable[[], object] = lambda: None) -> T:
    """Return what a call returns that may be made again without harm; `before` is done before each repeat."""
    for pause in PAUSES:
        try:
            return call()
        except EngineError as fault:
            if not _may_pass(fault) or work.deadline.left <= pause:
                raise
            work.context.logger.info("A registry has failed; it is asked again", err=fault, job=work.run.key)
        if work.context.cancelled.wait(pause):
            raise Interrupted
        before()
    return call()


def _may_pass(fault: EngineError) -> bool:
    told = isinstance(fault, StreamFailed) or (isinstance(fault, EngineFault) and fault.status != _WELL)
    return told and not isinstance(fault, NotSupported) and known_in_stream(fault.message) is None
