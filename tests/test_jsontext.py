"""One reader and one writer of JSON for both sides (fault 8.34, fault 8.30)."""

from __future__ import annotations

import pytest

from lib.engine import Reply
from lib.engine.errors import EngineFault
from lib.jsontext import decode, encode


def test_big_integers_of_an_engine_stay_integers_fault_8_34() -> None:
    reply = Reply(200, {}, b'{"limit": 18446744073709551616, "low": -9223372036854775809}')

    assert reply.json() == {"limit": 2**64, "low": -(2**63) - 1}
    assert type(reply.json()["limit"]) is int


def test_a_lone_surrogate_can_be_sent_to_an_engine_fault_8_30() -> None:
    assert encode({"name": "\ud800", "big": 2**70}) == b'{"name":"\\ud800","big":1180591620717411303424}'


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b'{"a":' * 2_000 + b"1" + b"}" * 2_000, b'{"a":' + b"1" * 5_000 + b"}"]
)
def test_what_python_cannot_hold_is_no_json_fault_8_30(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"nested too deeply|4300 digits"):
        decode(text)
    with pytest.raises(EngineFault, match="cannot be read"):
        Reply(200, {}, text).json()
