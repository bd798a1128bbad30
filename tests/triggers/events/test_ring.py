from __future__ import annotations

import json
from typing import Any

import pytest

from lib.trigger.events.fingerprints import WIDTH, Fingerprints, known
from lib.trigger.events.live import heard_live
from lib.trigger.events.ring import difference, hidden_until
from lib.trigger.events.ring_memory import CAPACITY, Memory
from tests.triggers.model import SECOND, Ring, event


def first(ring: Ring, run: str = "") -> Memory:
    return Memory(int(ring.now), tuple(name for name, _ in known(ring.polled())), run=run)


def numbers(pairs: Any) -> list[int]:
    return [int(one["Actor"]["ID"][:12], 16) for _, one in pairs]


def poll(ring: Ring, memory: Memory) -> Any:
    return difference(ring.polled(), memory, int(ring.now))


def test_a_fingerprint_has_eleven_characters_and_begins_with_the_scope() -> None:
    name = Fingerprints()
    local, swarm = name.of(event(1, 5)), name.of(event(1, 5, scope="swarm"))
    assert (len(local), local[0], len(swarm), swarm[0]) == (WIDTH, "l", WIDTH, "s")
    assert local[1:] != swarm[1:]


def test_equal_events_are_told_apart_by_their_number() -> None:
    names = [name for name, _ in known([event(1, 5), event(1, 5), event(1, 5)])]
    assert len(set(names)) == 3
    assert names == [name for name, _ in known([event(1, 5), event(1, 5), event(1, 5)])]


def test_events_of_the_same_nanosecond_are_all_new_once() -> None:
    ring = Ring()
    memory = first(ring)
    ring.now += 10
    for number in range(5):
        ring.kept.append(event(number, int((ring.now - 3) * SECOND)))
    change = poll(ring, memory)
    assert numbers(change.new) == [0, 1, 2, 3, 4]
    assert poll(ring, change.memory).new == ()


def test_swarm_events_with_earlier_times_come_in_publish_order() -> None:
    ring = Ring()
    ring.publish()
    ring.now += 5
    memory = first(ring)
    ring.publish()
    ring.publish(scope="swarm", late=4.5)
    ring.publish()
    ring.now += 5
    assert numbers(poll(ring, memory).new) == [1, 2, 3]


def test_a_local_event_that_is_still_there_proves_completeness() -> None:
    ring = Ring()
    for _ in range(100):
        ring.publish()
    ring.now += 5
    memory = first(ring)
    for _ in range(250):
        ring.publish()
    ring.now += 5
    change = poll(ring, memory)
    assert change.gap is None
    assert len(change.new) == 250


def test_an_overflow_is_told_although_the_ring_looks_full_and_healthy() -> None:
    ring = Ring()
    for _ in range(10):
        ring.publish()
    ring.now += 5
    memory = first(ring)
    for _ in range(300):
        ring.publish()
    ring.now += 5
    change = poll(ring, memory)
    assert (change.gap, change.gap_from, len(change.new)) == ("overflow", memory.at, 256)


def test_an_overflow_of_a_fresh_engine_is_told_too() -> None:
    ring = Ring()
    memory = first(ring)
    for _ in range(300):
        ring.publish()
    ring.now += 5
    assert poll(ring, memory).gap == "overflow"


def test_a_restart_is_told_as_one() -> None:
    ring = Ring()
    for _ in range(20):
        ring.publish()
    ring.now += 5
    memory = first(ring)
    ring.restart()
    ring.publish()
    ring.now += 5
    change = poll(ring, memory)
    assert (change.gap, numbers(change.new)) == ("restart", [20])
    assert poll(ring, change.memory).gap is None


def test_swarm_events_prove_nothing_and_replays_are_not_told_again() -> None:
    ring = Ring()
    for _ in range(20):
        ring.publish(scope="swarm")
    ring.publish()
    ring.now += 60
    memory = first(ring)
    ring.restart(replay=5)
    ring.publish()
    ring.now += 5
    change = poll(ring, memory)
    assert change.gap == "restart"
    assert numbers(change.new) == [21]


def test_replays_that_were_never_seen_before_are_dropped_also_when_they_come_later() -> None:
    ring = Ring()
    old = [ring.publish(scope="swarm") for _ in range(300)]
    ring.publish()
    ring.now += 60
    memory = first(ring)
    ring.restart()
    ring.publish()
    ring.now += 5
    after = poll(ring, memory)
    ring.kept.extend(old[:5])
    ring.now += 5
    change = poll(ring, after.memory)
    assert (numbers(change.new), len(change.replays), change.gap) == ([], 5, None)


def test_a_young_swarm_event_after_a_restart_is_told_rather_twice_than_never() -> None:
    ring = Ring()
    ring.publish()
    ring.now += 60
    memory = first(ring)
    ring.restart()
    ring.publish(scope="swarm", late=3)
    ring.now += 5
    assert numbers(poll(ring, memory).new) == [1]


def test_where_only_swarm_events_are_remembered_it_is_told_once_at_either_end() -> None:
    ring = Ring()
    ring.publish(scope="swarm")
    ring.now += 5
    memory = first(ring)
    began = memory.at
    gaps = []
    for local in (False, False, True, False):
        if local:
            ring.publish()
        ring.now += 5
        change = poll(ring, memory)
        gaps.append((change.gap, change.gap_from if change.gap else None))
        memory = change.memory
    assert gaps == [("unproven", began), (None, None), ("unproven", began), (None, None)]


def test_without_a_local_event_the_mark_of_the_engines_start_is_the_proof() -> None:
    ring = Ring()
    ring.publish(scope="swarm")
    ring.now += 5
    memory = first(ring, ring.run)
    ring.publish(scope="swarm")
    ring.now += 5
    change = difference(ring.polled(), memory, int(ring.now), ring.run)
    assert (change.gap, numbers(change.new)) == (None, [1])
    ring.restart(replay=2)
    assert difference(ring.polled(), change.memory, int(ring.now), ring.run).gap == "restart"


def test_events_too_young_to_be_shown_may_have_pushed_out_others() -> None:
    ring = Ring()
    memory = first(ring, ring.run)
    for _ in range(300):
        ring.publish()
    ring.now += 0.2
    seen = difference(ring.polled(), memory, int(ring.now), ring.run)
    assert (seen.gap, len(seen.new) > 0) == (None, True)
    ring.now += 5
    change = poll(ring, seen.memory)
    assert (change.gap, change.gap_from) == ("overflow", memory.at)
    assert poll(ring, change.memory).gap is None


def test_two_restarts_with_an_empty_memory_in_between_are_noticed() -> None:
    ring = Ring()
    memory = first(ring, ring.run)
    ring.publish()
    ring.restart()
    assert difference(ring.polled(), memory, int(ring.now), ring.run).gap == "restart"


def test_a_clock_that_is_set_back_loses_nothing_and_repeats_nothing() -> None:
    ring = Ring()
    for _ in range(10):
        ring.publish()
    ring.now += 5
    memory = first(ring)
    ring.now -= 3600
    told, gaps = [], []
    for step in range(5):
        if step in (1, 3):
            ring.publish()
        ring.now += 5 if step < 4 else 3700
        change = poll(ring, memory)
        told += numbers(change.new)
        gaps.append(change.gap)
        memory = change.memory
    assert told == [10, 11]
    assert gaps[0] == "clockSetBack"
    assert gaps[1:] == [None] * 4


def test_a_clock_that_stumbles_by_a_few_seconds_is_no_gap() -> None:
    ring = Ring()
    for _ in range(10):
        ring.publish()
        ring.now += 1
    ring.now += 3
    memory = first(ring)
    ring.now -= 5
    change = poll(ring, memory)
    assert (change.gap, change.new) == (None, ())
    ring.now += 10
    assert (poll(ring, change.memory).gap, poll(ring, change.memory).new) == (None, ())


def test_a_memory_survives_its_snapshot_form() -> None:
    memory = Memory(
        5, ("l" + "a" * 10,), ("s" + "b" * 10,), 9, 3, 8, 2, tight=True, run="abcd", doubt=4, doubted=5
    )
    assert Memory.from_state(json.loads(json.dumps(memory.to_state()))) == memory


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"at": "5", "seen": ""},
        {"at": -1, "seen": ""},
        {"at": True, "seen": ""},
        {"at": 5, "seen": "l" + "a" * 9},
        {"at": 5, "seen": "x" + "a" * 10},
        {"at": 5, "seen": "l" + "ä" * 10},
        {"at": 5, "seen": None},
        {"at": 5, "seen": ("l" + "a" * 10) * 600},
        {"at": 5, "seen": "", "until": "x"},
    ],
)
def test_a_state_that_is_none_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Memory.from_state(state)


def test_fault_9_18_a_read_that_brings_more_than_the_ring_holds_is_told_whole_and_remembered_in_its_room() -> (
    None
):
    ring = Ring()
    ring.publish()
    ring.now += 5
    memory = first(ring)
    ring.restart()
    made = [ring.publish() for _ in range(600)]
    until = hidden_until(ring.polled(), memory, int(ring.now))
    assert until is None or until > ring.now
    change = difference(made, memory, int(ring.now), until=int(ring.now) + 1)
    assert numbers(change.new) == list(range(1, 601))
    assert len(change.memory.shown) == CAPACITY
    assert Memory.from_state(change.memory.to_state()) == change.memory


def test_fault_9_18_what_was_heard_live_proves_completeness_also_later() -> None:
    ring = Ring()
    memory = heard_live(Memory(int(ring.now)), list(known([ring.publish() for _ in range(300)])))
    assert memory.shown == ()
    for _ in range(3):
        ring.now += 1
        change = poll(ring, memory)
        assert (change.gap, change.new) == (None, ())
        memory = heard_live(change.memory, list(known([ring.publish() for _ in range(300)])))


def test_a_shorter_mark_of_an_older_snapshot_is_the_same_start() -> None:
    ring = Ring()
    ring.publish(scope="swarm")
    ring.now += 5
    memory = first(ring, "abcd")
    gaps = [difference(ring.polled(), memory, int(ring.now), run).gap for run in ("abcdef", "abcxef")]
    assert gaps == [None, "restart"]
