"""The drop-downs of the triggers, where an engine's answers lack something."""

from __future__ import annotations

from lib.trigger import dropdowns as selection
from tests.triggers.fake_engine import FakeEngine


def test_fault_9_14_a_node_without_a_host_name_spoils_no_drop_down(fake: FakeEngine) -> None:
    fake.routes["/nodes"] = lambda _: (
        200,
        [
            {"ID": "n1", "Description": {"Hostname": "one"}, "Spec": {"Role": "manager"}},
            {"ID": "n2", "Description": {}, "Spec": {"Role": "worker"}},
            {"ID": "n3"},
        ],
    )
    assert selection.nodes(None, fake.config) == {
        "one": "one (manager)",
        "n2": "n2 (worker)",
        "n3": "n3 (?)",
    }


def test_fault_9_4_containers_are_offered_by_their_own_names(fake: FakeEngine) -> None:
    fake.routes["/containers/json"] = lambda _: (
        200,
        [{"Id": "a" * 64, "Names": ["/web/db", "/db"], "Image": "i", "State": "running"}, {"Id": "b" * 64}],
    )
    assert selection.containers(None, fake.config) == {
        "db": "db (i, running)",
        "bbbbbbbbbbbb": "bbbbbbbbbbbb (?, ?)",
    }
