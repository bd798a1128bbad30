"""Trigger containerStateChanged: crashed, exited, restartLoop, unhealthy, healthy, started, removed and so on.

docs/triggers.md#containerstatechanged has the rules; lib/trigger/containers/comparison.py says how a poll works.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.config.form import Form, shown, whole, words, wrong
from lib.config.selection import Selection
from lib.trigger import Found, Poll, trigger
from lib.trigger.clock import SECOND
from lib.trigger.containers.comparison import Comparison
from lib.trigger.containers.conditions import Conditions
from lib.trigger.containers.container import listing, selected
from lib.trigger.containers.farewells import Farewells
from lib.trigger.containers.lifecycle import Loop
from lib.trigger.containers.looks import fault, key, look_at, name
from lib.trigger.containers.messages import change_body
from lib.trigger.dropdowns import containers, images, labels

__all__ = ["container_state_changed", "containers", "images", "labels"]

SAMPLE = {
    "kind": "change",
    "change": "crashed",
    "container": {
        "id": "8f0f1c1ed3a6e3ba7b6d4d0a3f5f0c1b2a394857660718293a4b5c6d7e8f9012",
        "name": "web-1",
        "image": "shop/web:2.4",
        "labels": {"team": "shop"},
    },
    "from": {"status": "running", "health": "healthy", "exitCode": None, "restartCount": 0},
    "to": {"status": "exited", "health": "unhealthy", "exitCode": 137, "restartCount": 0},
    "exitCode": 137,
    "oomKilled": True,
    "restarts": 0,
    "error": "",
    "startedAt": "2026-01-01T09:00:00.5Z",
    "finishedAt": "2026-01-01T12:00:00.123456789Z",
    "timestamp": "2026-01-01T12:00:00.123456789Z",
}


def running(poll: Poll[Conditions]) -> Mapping[str, Any] | None:
    """Return the body for the first selected container as if it had just started, for a try-out; None for none."""
    chosen = selected(listing(poll.engine).containers, Selection.of(poll.form), poll.engine)
    for _, look in poll.each(chosen, look_at, key=key, name=name, fault=fault):
        return change_body("started", look, None, poll.now * SECOND)
    return None


def _loop(form: Form) -> Loop:
    return Loop(
        whole(form, "loopRestarts", 3, least=1, most=63), whole(form, "loopMinutes", 10, least=1, most=60)
    )


def settings(form: Form) -> tuple[frozenset[str], Loop]:
    """Return the normal exit codes and the limits of a restart loop; raises BadInput."""
    return _normal_codes(form), _loop(form)


@trigger("containerStateChanged", read=Conditions.from_state, sample=SAMPLE, live=running, settings=settings)
def container_state_changed(poll: Poll[Conditions]) -> Found[Conditions]:
    """Compare the selected containers with the last poll: ContainerList, SystemEvents, ContainerInspect."""
    comparison = Comparison(poll, *settings(poll.form))
    comparison.look()
    comparison.read_what_is_too_young()
    farewells = Farewells(comparison)
    findings = [*comparison.changed(), *farewells.known(), *farewells.never_seen()]
    wanted = frozenset(words(poll.form, "changes"))
    return Found(
        [one for one in findings if not wanted or one.body["change"] in wanted],
        Conditions(poll.now, comparison.known, comparison.recent.place),
    )


def _normal_codes(form: Form) -> frozenset[str]:
    codes = words(form, "normalExitCodes") or ("0",)
    for code in codes:
        if not (code.isascii() and code.isdecimal()):
            raise wrong(
                form, "normalExitCodes", f"{shown(code)} is no exit code. Write whole numbers such as 0, 143"
            )
    return frozenset(str(int(code[:4])) for code in codes)
