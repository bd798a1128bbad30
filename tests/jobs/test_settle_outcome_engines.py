"""SettleOutcome on more engines: each operation whose answer, or whose request, was lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.actions.stepping import forget_engines
from tests.jobs.crash import AFTER, Delivery
from tests.jobs.engines import MORE, begin
from tests.jobs.finding import SWARM as ALONE
from tests.jobs.test_settle_outcome import KEY, SCENES, SWARM, settle, tidied, tidy, wanted, way
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy

__all__ = ["tidy", "way"]
pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("tidy")]


UNTOLD = {("28.5-containerd", "ImagePrune"): ("unknown", "repeat")}
"""With containerd's store an engine tells no event of that."""


@pytest.fixture(scope="module", params=MORE)
def own(request: Any) -> Iterator[LabEngine]:
    engine = begin(request.param)
    engine.wire.do("POST", "/swarm/init", ALONE)
    yield engine
    forget_engines()
    engine.close()


@pytest.mark.parametrize("arrives", [True, False], ids=["the answer", "the request"])
def test_it_succeeds_to_tell_what_was_lost(own: LabEngine, way: FaultyProxy, arrives: bool) -> None:
    outcome = ("happened", "goOn") if arrives else ("didNotHappen", "repeat")
    found = {}
    for number, scene in enumerate((*SCENES, *SWARM)):
        if scene.key.startswith("Plugin"):  # an engine takes the same content once
            tidied(own)
        fields = scene.make(own)
        error, since = scene.lost(own, way, fields, arrives=arrives)
        told = settle(own, scene.key, fields, error=error, since=since)
        expected = UNTOLD.get((own.kind, scene.key), outcome)
        if (told["outcome"], told["next"]) != expected or not told["proof"]:
            found[number, scene.key] = told
    assert found == {}


@pytest.mark.shows(KEY, "killed", "repeat")
def test_what_a_killed_step_has_made_is_known_by_its_mark(own: LabEngine) -> None:
    fields = wanted()
    delivery = Delivery(own, "ContainerCreate", fields, {"errorPolicy": "emit", "markRun": True})
    assert delivery.run(die=(1, AFTER)).finished is None
    (again,) = delivery.run().bodies
    assert again["error"]["name"] == "Conflict"
    for _ in range(2):
        told = settle(own, "ContainerCreate", fields, error=again)
        assert (told["outcome"], told["next"]) == ("happened", "goOn"), told
        assert "has the mark of the run" in told["proof"]
