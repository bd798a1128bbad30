"""What the fork server of the crash tests loads once: all that a job needs until it asks the engine.

One message for each job goes to an engine that is not there, because much is imported and read when it is needed only.
No thread may be left: a fork would copy its locks, and not the thread.
"""

from __future__ import annotations

import json
import threading

from tests.actions.stepping import COMPONENT, forget_engines, run_step
from tests.local.running import ROOT

NOWHERE = {"server": "2", "otherServer": "unix:///nowhere/engine.sock", "errorPolicy": "emit"}

for key, about in json.loads((ROOT / "component.json").read_text("utf-8"))["actions"].items():
    if "/jobs/" in about["main"]:
        COMPONENT.function(key)
        run_step(key, {"image": "any", "name": "any", "command": "any", "container": "any"}, NOWHERE)
forget_engines()
assert threading.active_count() == 1, threading.enumerate()
