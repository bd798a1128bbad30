"""Each job that changes something: killed before and after each of its changing calls, and delivered twice at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.jobs.crash import deaths, nothing_left
from tests.jobs.engines import own
from tests.jobs.scenes import SCENES, Scene
from tests.lab.engine import LabEngine

__all__ = ["own"]
pytestmark = pytest.mark.engine
ALL = [pytest.param(scene, id=scene.__name__, marks=pytest.mark.shows(scene.key)) for scene in SCENES]


@pytest.mark.parametrize("kind", ALL)
def test_killed_at_any_change_it_comes_to_its_end(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    with nothing_left(own):
        whole = _played(kind(own, tmp_path))
        for number, side in deaths(whole):
            _played(kind(own, tmp_path), (number, side))


def _played(scene: Scene, die: tuple[int, str] | None = None) -> int:
    """Play a scene to its end, with a death where one is told; return the number of changing calls of the last life."""
    delivery = scene.begin()
    try:
        dead = delivery.run(die) if die else None
        life = delivery.run()
        assert life.finished, (die, life.errors)
        assert life.bodies, die
        assert len(delivery.told) == 1, (die, delivery.told)
        assert dead is None or not dead.errors, (die, dead.errors)
        scene.good()
        assert not delivery.left(), die
    finally:
        scene.end()
    return len(life.calls)


# Two that replace a volume at once: the one may remove what the other has just made, and then one of them fails.
@pytest.mark.parametrize("kind", [one for one in ALL if one.id != "Replace"])
def test_two_at_once_come_to_one_end(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    with nothing_left(own):
        scene = kind(own, tmp_path)
        delivery = scene.begin()
        try:
            with ThreadPoolExecutor(2) as pool:
                lives = list(pool.map(lambda _: delivery.run(), range(2)))
            assert [life.errors for life in lives] == [[], []]
            assert all(life.finished and life.bodies for life in lives)
            assert len(delivery.told) == 1
            scene.good()
            assert not delivery.left()
        finally:
            scene.end()
