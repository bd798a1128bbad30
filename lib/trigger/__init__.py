"""Polling triggers: what happened on an engine since the last poll, told once, with ids that a repeat keeps."""

from lib.trigger.faults import Fault
from lib.trigger.poll import Finding, Found, Poll
from lib.trigger.trigger import trigger

__all__ = ["Fault", "Finding", "Found", "Poll", "trigger"]
