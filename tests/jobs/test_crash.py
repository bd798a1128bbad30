"""The crash harness itself, with a job whose calls are known: EnsureVolume makes one change."""

from __future__ import annotations

import pytest

from lib.sailor.message.ids import random_id
from tests.jobs.crash import AFTER, BEFORE, Death, Delivery, nothing_left, things
from tests.jobs.engines import own
from tests.lab.engine import LabEngine

__all__ = ["own"]
pytestmark = pytest.mark.engine


@pytest.mark.parametrize(("die", "there"), [((1, BEFORE), False), ((1, AFTER), True)])
def test_a_step_dies_on_either_side_of_a_call(own: LabEngine, die: Death, there: bool) -> None:
    name = f"vol-{random_id()}"
    delivery = Delivery(own, "EnsureVolume", {"name": name})
    with nothing_left(own):
        dead = delivery.run(die)
        assert (dead.finished, dead.published) == (None, [])
        assert dead.calls == (["POST /volumes/create"] if there else [])
        assert (name in things(own)["volumes"]) == there
        again = delivery.run()
        assert (again.finished, [body["changed"] for body in again.bodies]) == (True, [not there])
        assert len(delivery.events("create", "volume")) == 1
        own.wire.do("DELETE", f"/volumes/{name}")


def test_a_step_that_does_not_get_so_far_is_told(own: LabEngine) -> None:
    with pytest.raises(AssertionError, match="it made 1 changing calls"):
        Delivery(own, "EnsureVolume", {"name": "lives", "state": "present"}).run((2, BEFORE))
    own.wire.do("DELETE", "/volumes/lives")
