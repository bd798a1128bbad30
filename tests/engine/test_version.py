from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput, VersionMismatch
from lib.engine.version import NEWEST, OLDEST, EngineFacts, Version, settle

VERSIONS = st.builds(Version, st.just(1), st.integers(0, 99))


@given(VERSIONS, VERSIONS)
def test_versions_compare_as_numbers(one: Version, other: Version) -> None:
    assert (one < other) == (one.minor < other.minor)
    assert Version.parse(str(one)) == one == Version.parse(f"v{one}")


@pytest.mark.parametrize(
    "text", ["", "1", "1.", ".41", "1.41.0", "latest", "1.x", "-1.41", "1.41 beta", "99999.1"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        Version.parse(text)
    assert caught.value.field == "apiVersion"


@given(VERSIONS, st.one_of(st.none(), VERSIONS))
def test_without_a_pin_it_is_the_newest_that_both_sides_speak(top: Version, bottom: Version | None) -> None:
    facts = EngineFacts(maximum=top, minimum=bottom)
    if top < OLDEST or (bottom is not None and bottom > NEWEST):
        with pytest.raises(VersionMismatch, match=str(top)):
            settle(facts, None, pin_yields=False)
    else:
        assert settle(facts, None, pin_yields=False) == (min(top, NEWEST), None)


@given(VERSIONS, VERSIONS, VERSIONS, st.booleans())
def test_a_pin_holds_inside_the_range_only(top: Version, bottom: Version, pin: Version, yields: bool) -> None:
    facts = EngineFacts(maximum=top, minimum=min(bottom, top))
    if top < OLDEST or facts.minimum is None or facts.minimum > NEWEST:
        return
    fits = facts.minimum <= pin <= top and OLDEST <= pin <= NEWEST
    if fits:
        assert settle(facts, pin, pin_yields=yields) == (pin, None)
    elif yields:
        version, remark = settle(facts, pin, pin_yields=True)
        assert version == min(top, NEWEST)
        assert remark is not None
        assert str(pin) in remark
    else:
        with pytest.raises(VersionMismatch, match="pins"):
            settle(facts, pin, pin_yields=False)


@pytest.mark.parametrize("pin", [Version(1, 24), Version(1, 57)])
def test_a_pin_that_only_the_engine_speaks_is_refused(pin: Version) -> None:
    """fault 8.31: no schema knows that version, so nothing could say which fields it has."""
    facts = EngineFacts(maximum=Version(1, 60), minimum=Version(1, 12))
    with pytest.raises(
        VersionMismatch, match=f"This component speaks API 1.25-1.56, the credential pins {pin}"
    ):
        settle(facts, pin, pin_yields=False)
    version, remark = settle(facts, pin, pin_yields=True)
    assert version == NEWEST
    assert remark == f"This component speaks API 1.25-1.56, the server's URL asks for {pin}: 1.56 is used"


def test_facts_come_from_headers_in_any_case() -> None:
    from requests.structures import CaseInsensitiveDict

    headers = {"API-Version": "1.41", "OSType": "linux", "docker-experimental": "True", "Swarm": "inactive"}
    facts = EngineFacts.from_headers(CaseInsensitiveDict(headers))
    assert facts == EngineFacts(Version(1, 41), None, "linux", experimental=True, swarm="inactive")
    assert EngineFacts.from_headers({}) is None
