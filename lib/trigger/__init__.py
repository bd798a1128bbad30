"""Polling triggers: each poll emits what happened on an engine since the last one; a repeat keeps the message ids."""

from lib.trigger.faults import Fault
from lib.trigger.poll import Finding, Found, Poll
from lib.trigger.trigger import trigger

__all__ = ["Fault", "Finding", "Found", "Poll", "trigger"]
