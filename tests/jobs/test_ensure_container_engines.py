"""EnsureContainer on more engines: made, changed, made anew, left alone; and what is bad is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.actions.stepping import forget_engines
from tests.jobs.containers import ensure, inspect, name, network, of, refused
from tests.jobs.engines import MORE, begin
from tests.lab.engine import LabEngine

__all__ = ["name"]
pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", params=MORE)
def own(request: Any) -> Iterator[LabEngine]:
    engine = begin(request.param)
    yield engine
    forget_engines()
    engine.close()


def test_it_succeeds_and_a_repeat_changes_nothing(own: LabEngine, name: str) -> None:
    both = [{"name": network(own, f"{name}-1"), "aliases": ["shop"]}, {"name": network(own, f"{name}-2")}]
    given: dict[str, Any] = {"networks": both, "ports": ["127.0.0.1::80"], "volumes": [f"{name}-v:/v"]}
    for fields, action in (
        ({"memoryMb": 64, "env": {"A": "1"}}, "created"),
        ({"memoryMb": 32, "env": {"A": "1"}}, "updated"),
        ({"memoryMb": 32, "env": {"A": "2"}}, "recreated"),
    ):
        told = ensure(own, name, **given, **fields)
        assert (told["action"], told["container"]["state"]) == (action, "running")
        assert ensure(own, name, **given, **fields)["action"] == "none"
        assert ensure(own, name, **given, **fields, compare="strict")["action"] == "none"
    assert of(own, name) == [name]


def test_what_is_bad_fails_and_the_old_one_runs_again(own: LabEngine, name: str) -> None:
    ensure(own, name)
    before = inspect(own, name)["Id"]
    error, text = refused(own, name, command=["sh", "-c", "exit 7"])
    now = inspect(own, name)

    assert (error, "runs again" in text) == ("RolledBack", True)
    assert (now["Id"], now["State"]["Running"]) == (before, True)
