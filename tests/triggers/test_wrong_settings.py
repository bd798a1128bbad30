"""fault 9.24: what is wrong with a number is told by its field, in a try-out too, before the engine is asked."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from lib.engine.errors import BadInput
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import PollHarness

ROOT = Path(__file__).parents[2]
WORDS: dict[str, Any] = tomllib.loads((ROOT / "lib/metadata/words/triggers.toml").read_text("utf-8"))
NEEDED = {
    "imageUpdated": {"references": "web:1"},
    "resourceThreshold": {"cpuPercent": "80"},
    "diskUsage": {"totalGigabytes": "5"},
}


def takes_a_number(field: dict[str, Any]) -> bool:
    example = field.get("placeholder", "").replace(".", "")
    return field["viewClass"] == "TextFieldView" and example.isdecimal()


NUMBERS = [
    (key, name)
    for key, words in WORDS.items()
    for name, field in words.get("fields", {}).items()
    if takes_a_number(field)
]


def test_every_trigger_but_one_has_numbers() -> None:
    assert {key for key, _ in NUMBERS} == WORDS.keys() - {"startFlow"}


@pytest.mark.parametrize("value", ["inf", "1e400", "nan", "-1", "many"])
@pytest.mark.parametrize(("key", "name"), NUMBERS)
@pytest.mark.parametrize("try_out", [False, True])
def test_fault_9_24_a_wrong_number_is_told_by_its_field(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch, key: str, name: str, value: str, *, try_out: bool
) -> None:
    if try_out:
        monkeypatch.setenv("ELASTICIO_FLOW_TYPE", "debug")
    step = PollHarness(Path(WORDS[key]["main"]).stem, fake.config)
    with pytest.raises(BadInput, match=f"^{name} "):
        step.poll(**{**NEEDED.get(key, {}), name: value})
