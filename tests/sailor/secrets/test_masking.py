"""Fault 8.22: a secret is found in every form in which it may be written, alone or inside of something longer."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.sailor.logging import LEVELS, Logger, Sink
from lib.sailor.secrets.masking import LONGEST, MOST, SHORTEST, SHORTEST_INSIDE, Secrets

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with all letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "Python": lambda text: repr(text)[1:-1],
    "percent": lambda text: quote(text, safe=""),
    "percent of a path": lambda text: quote(text, safe="/:@"),
    "percent of a query": quote_plus,
    "HTML": html.escape,
}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "standard": base64.b64encode,
    "standard without padding": lambda data: base64.b64encode(data).rstrip(b"="),
    "URL": base64.urlsafe_b64encode,
    "URL without padding": lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
}
AROUND = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=7)
SECRET = st.text(st.characters(exclude_categories=("Cs",)), min_size=SHORTEST_INSIDE, max_size=40).filter(
    lambda text: text == text.strip() and len(text.splitlines()) == 1
)


def hiding(*texts: str) -> Secrets:
    secrets = Secrets()
    secrets.add(texts)
    return secrets


@pytest.mark.parametrize("form", FORMS)
@given(secret=SECRET)
def test_fault_8_22_a_secret_is_masked_as_it_may_be_written(form: str, secret: str) -> None:
    assert hiding(secret).mask(f"<{FORMS[form](secret)}>") == "<***>"


def test_fault_8_22_percent_encoding_may_use_small_letters() -> None:
    assert hiding("pass?word/ü").mask("a=pass%3fword%2f%c3%bc&b") == "a=***&b"


@pytest.mark.parametrize("kind", PACKED)
@given(secret=SECRET, before=AROUND, after=AROUND)
def test_fault_8_22_base64_of_anything_that_holds_a_secret_is_masked_whole(
    kind: str, secret: str, before: str, after: str
) -> None:
    packed = PACKED[kind]((before + secret + after).encode()).decode()
    # Words around it are shorter than a secret: a secret that is one of them would be masked there too.
    assert hiding(secret).mask(f"key='{packed}' no") == "key='***' no"


@pytest.mark.parametrize("kind", PACKED)
@given(secret=SECRET, user=AROUND)
def test_fault_8_22_base64_of_a_login_is_masked(kind: str, secret: str, user: str) -> None:
    for escaped in (True, False):
        login = json.dumps({"username": user, "password": secret, "x": 1}, ensure_ascii=escaped)
        assert hiding(secret).mask(PACKED[kind](login.encode()).decode()) == "***"


def test_fault_8_22_short_secrets_are_words_and_shorter_ones_are_none() -> None:
    secrets = hiding("abcd", "xyz", "1", "true")
    assert secrets.mask("abcd, xabcd, abcd_e, 'abcd' xyz 1") == "***, xabcd, abcd_e, '***' xyz 1"
    assert secrets.mask("\nabcd") == "\n***"
    assert secrets.mask(base64.b64encode(b"me:abcd").decode()) == "***"
    assert len("abcd") == SHORTEST


def test_fault_8_22_lines_of_a_long_secret_are_masked_alone() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END KEY-----\n"
    assert hiding(key).mask("near 'kqhkiG9w0BAQ' -----END KEY-----") == "near '***' -----END KEY-----"


def test_fault_8_22_a_part_of_a_very_long_secret_is_masked() -> None:
    long = "".join(f"{number:06d}" for number in range(LONGEST // 6))
    masked = hiding(long).mask(f"got {long[:100_000]}.")
    assert len(masked) < 5_000
    assert hiding(long).mask(f"got {long}.") == "got ***."


@given(secret=SECRET.filter(lambda text: text[:6] not in text[1:]), cut=st.integers(6, 39))
def test_fault_8_22_the_beginning_of_a_secret_before_a_cut_is_masked(secret: str, cut: int) -> None:
    beginning = secret[:cut]
    assert hiding(secret).mask(f"= {beginning} … more") == "= *** … more"


def test_fault_8_22_secrets_that_overlap_leave_nothing_between_them() -> None:
    above = hiding("secret-one")
    secrets = Secrets(above)
    secrets.add(["one-two-three", "secret"])
    assert secrets.mask("a secret-one-two-three z") == "a *** z"
    assert above.mask("a secret-one-two-three z") == "a ***-two-three z"


def test_fault_8_22_a_source_is_asked_when_something_is_masked_and_once() -> None:
    asked = []

    def source() -> list[str]:
        asked.append(1)
        return ["canary-1"]

    secrets = Secrets()
    secrets.add_later(source)
    assert not asked
    assert [secrets.mask("canary-1"), secrets.mask("canary-1")] == ["***", "***"]
    assert len(asked) == 1


def test_fault_8_22_where_secrets_are_too_many_to_look_for_no_text_is_shown() -> None:
    secrets = hiding(*(f"secret-number-{number}" for number in range(MOST + 1)))
    assert secrets.mask("about anything") == "***"
    assert hiding(*(f"secret-number-{number}" for number in range(MOST))).mask("about") == "about"


class Kept(Sink):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        self.lines.append(line)


@pytest.mark.parametrize("method", ["trace", "debug", "info", "warning", "error", "fatal"])
def test_fault_8_22_lines_of_every_level_are_masked_and_stay_json(method: str) -> None:
    sink = Kept()
    secrets = Secrets(sink.secrets)
    secrets.add(["message", 'can"ary', "level", "ab\\cd"])
    logger = Logger("a", LEVELS["trace"], sink, {}).hiding(secrets).named("b").bind(bound='can"ary')
    getattr(logger, method)('a can"ary\nlevel', error=ValueError('ab\\cd can"ary'), odd={"deep": ['can"ary']})
    (text,) = sink.lines
    line = json.loads(text)
    assert (line["msg"], line["bound"], line["odd"]) == ("a ***\n***", "***", {"deep": ["***"]})
    assert line["level"]
    assert b"ary" not in text
    assert b"cd" not in text
