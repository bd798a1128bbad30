from __future__ import annotations

from lib.sailor.amqp.unacked import Inflight, fingerprint
from tests.sailor.platform_queues import seal

KEY = fingerprint({"messageId": "m-1"}, b"body")


def test_a_delivery_is_new_and_can_be_acked() -> None:
    inflight = Inflight()

    arrived, is_new = inflight.arrived(KEY, 1, redelivered=False)

    assert is_new
    assert inflight.finished(arrived, ok=True)


def test_a_second_delivery_of_one_id_and_body_is_another_message() -> None:
    inflight = Inflight()
    first, _ = inflight.arrived(KEY, 1, redelivered=False)

    second, is_new = inflight.arrived(KEY, 2, redelivered=True)

    assert is_new
    assert second is not first


def test_a_redelivery_takes_the_place_of_what_is_in_work() -> None:
    inflight = Inflight()
    first, _ = inflight.arrived(KEY, 7, redelivered=False)
    inflight.channel_lost()

    again, is_new = inflight.arrived(KEY, 1, redelivered=True)

    assert again is first
    assert not is_new
    assert first.tag == 1
    assert inflight.finished(first, ok=True)


def test_what_ends_without_a_channel_waits_for_its_redelivery() -> None:
    inflight = Inflight()
    first, _ = inflight.arrived(KEY, 7, redelivered=False)
    inflight.channel_lost()
    assert not inflight.finished(first, ok=False)

    again, is_new = inflight.arrived(KEY, 1, redelivered=True)

    assert (again, is_new, again.ok) == (first, False, False)
    assert inflight.finished(again, ok=False)


def test_an_ack_that_was_lost_with_its_channel_is_repeated() -> None:
    inflight = Inflight()
    first, _ = inflight.arrived(KEY, 7, redelivered=False)
    assert inflight.finished(first, ok=True)
    inflight.channel_lost()

    again, is_new = inflight.arrived(KEY, 1, redelivered=True)

    assert (again, is_new, again.ok) == (first, False, True)


def test_of_two_alike_the_one_in_work_is_meant_first() -> None:
    inflight = Inflight()
    done, _ = inflight.arrived(KEY, 1, redelivered=False)
    in_work, _ = inflight.arrived(KEY, 2, redelivered=False)
    inflight.finished(done, ok=True)
    inflight.channel_lost()

    assert inflight.arrived(KEY, 1, redelivered=True)[0] is in_work
    assert inflight.arrived(KEY, 2, redelivered=True)[0] is done
    assert inflight.arrived(KEY, 3, redelivered=True)[1]


def test_a_message_that_comes_first_time_is_never_taken_for_an_old_one() -> None:
    inflight = Inflight()
    done, _ = inflight.arrived(KEY, 1, redelivered=False)
    inflight.finished(done, ok=True)
    inflight.channel_lost()

    assert inflight.arrived(KEY, 1, redelivered=False)[1]


def test_the_fingerprint_tells_messages_and_rebounds_apart() -> None:
    one, other = seal({"body": {"a": 1, "text": "x" * 500}}), seal({"body": {"a": 2, "text": "x" * 500}})
    assert len(one) == len(other)

    fingerprints = {
        fingerprint({"messageId": "m-1"}, one),
        fingerprint({"messageId": "m-1"}, other),
        fingerprint({"messageId": "m-2"}, one),
        fingerprint({"messageId": "m-1", "reboundIteration": 1}, one),
        fingerprint({}, one),
    }

    assert len(fingerprints) == 5


def test_the_memory_is_bounded() -> None:
    inflight = Inflight()
    for tag in range(25_000):
        arrived, _ = inflight.arrived(fingerprint({"messageId": str(tag)}, b""), tag, redelivered=False)
        inflight.finished(arrived, ok=True)

    assert len(inflight._settled) <= 10_000
    assert inflight._inputs == {}


def test_the_memory_is_bounded_also_when_channels_are_lost_again_and_again() -> None:
    inflight = Inflight()
    for tag in range(50_000):
        arrived, _ = inflight.arrived(fingerprint({"messageId": str(tag)}, b""), tag, redelivered=False)
        if tag % 7:
            inflight.finished(arrived, ok=True)
        if tag % 1000 == 0:
            inflight.channel_lost()
        if not tag % 7:
            inflight.finished(arrived, ok=True)

    assert len(inflight._inputs) <= 10_000
    newest = fingerprint({"messageId": "48999"}, b"")
    inflight.channel_lost()
    assert not inflight.arrived(newest, 1, redelivered=True)[1]
