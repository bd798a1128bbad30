"""Settings of a step: the names, the values, and the one reader of choices, numbers and flags (fault 8.32)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.action.settings import StepSettings
from lib.config.declared_fields import checked, checked_credential
from lib.config.form import choice, flag, number, text, whole, words
from lib.engine.errors import BadInput
from lib.job.settings import JobSettings
from lib.metadata.facts import load
from lib.trigger.clock import moment
from tests.actions.recorder import Recorder
from tests.actions.stepping import run_step

ROOT = Path(__file__).parents[2]
MANIFEST = json.loads((ROOT / "component.json").read_text("utf-8"))
EXAMPLES = load().examples
PLATFORM = {
    "_account": "5f3a",
    "secretId": "5f3b",
    "_anything": {"of": "theirs"},
    "elasticioTags": [],
    "interval": "15",
    "cron": "*/5 * * * *",
    "nodeSettings": {},
}


@pytest.mark.parametrize(
    "key", [*MANIFEST["actions"], *(key for key in MANIFEST["triggers"] if key != "startFlow")]
)
def test_every_action_and_trigger_refuses_a_setting_that_it_has_not(key: str, tmp_path: Path) -> None:
    """Fault 8.32: a misspelt setting passed and did nothing."""
    with Recorder(tmp_path) as recorder:
        outcome = run_step(key, EXAMPLES.get(key, {}), {"server": recorder.url, "verbos": "on"})
    assert recorder.asked == []
    (error,) = outcome.errors
    assert error["name"] == "BadInput"
    assert f"verbos: is no setting of {key}" in error["message"]


@pytest.mark.parametrize(
    ("key", "settings", "told"),
    [
        ("ContainerList", {"emitBehaviour": "emitAll"}, "Did you mean emitBehavior?"),
        ("ContainerList", {"errorPolcy": "emit"}, "Did you mean errorPolicy?"),
        ("ContainerLogs", {"maxItms": "5"}, "Did you mean maxItems?"),
        ("ContainerLogs", {"most Items": "5"}, "Did you mean maxItems?"),
        ("ContainerList", {"tlsCrt": "x"}, "Did you mean tls"),
        ("ContainerList", {"qqqqqqqqq": "x"}, "It has server, otherServer"),
        (
            "ContainerList",
            {"errorPolicy": "emitt"},
            "errorPolicy (\"When the action fails\"): 'emitt' is not possible",
        ),
        ("ContainerList", {"verbose": "maybe"}, 'verbose ("Log more"): '),
        ("ContainerLogs", {"maxItems": "1.5"}, 'maxItems ("Most items"): 1.5 is no whole number'),
        ("ContainerLogs", {"maxItems": "0"}, "maxItems (\"Most items\"): '0' is out of range"),
        ("ContainerLogs", {"maxSeconds": "inf"}, "'inf' is no number"),
        ("ContainerLogs", {"maxSeconds": "nan"}, "'nan' is no number"),
        ("ContainerLogs", {"maxSeconds": "1e400"}, "'1e400' is out of range"),
        ("ContainerLogs", {"maxSeconds": {"value": 1}}, "must be one value, not an object"),
        (
            "ContainerList",
            {"accessMode": "readonly"},
            "accessMode (\"Access\"): 'readonly' is not possible. Did you mean readOnly?",
        ),
        (
            "containerStateChanged",
            {"changes": ["crashd"]},
            "changes (\"Changes\"): 'crashd' is not possible. Did you mean crashed?",
        ),
        ("containerStateChanged", {"changes": "Crashed"}, "Did you mean crashed?"),
        ("containerStateChanged", {"changes": [{"value": "crashed"}]}, "must be a list of texts"),
        ("engineEvents", {"types": ["contaner"]}, "Did you mean container?"),
        ("engineEvents", {"startFrom": "Now"}, "Did you mean now?"),
        ("engineEvents", {"notices": "emitErrors"}, "Did you mean emitError?"),
        ("objectChanged", {"kinds": ["planets"]}, "kinds (\"Kinds\"): 'planets' is not possible"),
    ],
)
def test_a_wrong_setting_is_told_with_its_label_and_what_was_meant(
    key: str, settings: dict[str, Any], told: str, tmp_path: Path
) -> None:
    """Fault 8.32."""
    with Recorder(tmp_path) as recorder:
        outcome = run_step(key, EXAMPLES.get(key, {}), {"server": recorder.url, **settings})
    assert recorder.asked == []
    (error,) = outcome.errors
    assert error["name"] == "BadInput"
    assert told in error["message"]


def test_a_word_that_is_no_exit_code_is_refused(tmp_path: Path) -> None:
    """Fault 8.32: the letter O for the digit 0 made every end a crash."""
    config = {"normalExitCodes": "O, 143", "startFrom": "now"}
    with Recorder(tmp_path) as recorder:
        outcome = run_step("containerStateChanged", {}, {"server": recorder.url, **config})
    assert "normalExitCodes" in outcome.errors[0]["message"]


def test_what_the_platform_adds_passes(tmp_path: Path) -> None:
    """Fault 8.32: the credential's id, the schedule, and whatever begins with an underscore."""
    with Recorder(tmp_path) as recorder:
        assert not run_step("ContainerList", {}, {"server": recorder.url, **PLATFORM}).errors
    assert recorder.asked


def test_the_operator_can_name_what_else_a_platform_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 8.32: a platform may add what nobody knows yet."""
    with pytest.raises(BadInput, match="is no setting of ContainerList"):
        checked("ContainerList", {"zone": "eu"})
    monkeypatch.setenv("EXTRA_SETTINGS", "region, zone")
    assert checked("ContainerList", {"zone": "eu"}) == {"zone": "eu"}


def test_a_credential_is_checked_too() -> None:
    """Fault 8.32: a misspelt tlsCa would trust nobody, or anybody."""
    with pytest.raises(BadInput, match=r"tlsCert: is no setting of the credential. Did you mean tls"):
        checked_credential({"server": "2", "tlsCert": "x"})
    assert checked_credential({"server": "2", **PLATFORM})["server"] == "2"


def test_startflow_hands_on_whatever_it_is_configured_with(tmp_path: Path) -> None:
    """Its configuration is its output, so nothing in it is without effect."""
    assert run_step("startFlow", {}, {"colour": "blue"}).bodies[0]["config"] == {"colour": "blue"}


@pytest.mark.parametrize(
    "value",
    ["nan", "inf", "-inf", "Infinity", "1e400", "1_000", "0x10", "\uff11\uff12", "1,5", "--1", "1" * 40],
)
def test_what_is_no_plain_finite_number_is_refused(value: str) -> None:
    """Fault 8.32, and 9.24 for triggers."""
    for read in (lambda form: number(form, "n", 1), lambda form: whole(form, "n", 1)):
        with pytest.raises(BadInput, match=r"^n: "):
            read({"n": value})
    with pytest.raises(BadInput, match=r"^n: "):
        moment({"n": value}, "n")


@pytest.mark.parametrize(
    ("value", "read"), [("5", 5), (5, 5), (5.0, 5), (" 5 ", 5), ("1e3", 1000), ("", 7), (None, 7)]
)
def test_whole_numbers_come_as_texts_and_as_numbers(value: Any, read: int) -> None:
    assert whole({"n": value}, "n", 7) == read


def test_seconds_keep_their_nanoseconds_and_milliseconds_are_noticed() -> None:
    """Fault 8.32: a float would round them."""
    assert moment({"t": "1700000000.123456789"}, "t") == 1700000000123456789
    assert moment({"t": "1700000000.5"}, "t") == 1700000000500000000
    with pytest.raises(BadInput, match="these seem to be milliseconds"):
        moment({"t": "1700000000000"}, "t")
    with pytest.raises(BadInput, match="after the year 9999"):
        moment({"t": "9999-12-31T23:59:59-12:00"}, "t")


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), ("on", True), ("false", False), ("", False), (None, False), ("Off", False)],
)
def test_flags(value: Any, read: bool) -> None:
    assert flag({"f": value}, "f") is read


def test_words_are_a_list_or_a_text_with_commas() -> None:
    assert words({"w": ["a", None, " b "]}, "w") == words({"w": "a, b\n"}, "w") == ("a", "b")


def test_long_values_are_cut_in_errors() -> None:
    with pytest.raises(BadInput) as caught:
        choice({"c": "x" * 1000}, "c", ("a", "b"))
    assert len(str(caught.value)) < 200
    with pytest.raises(BadInput, match="must be one value"):
        text({"c": ["a"]}, "c")


@pytest.mark.parametrize("path", sorted((ROOT / "examples/flows").glob("*.json")), ids=lambda path: path.stem)
def test_the_flows_of_the_examples_have_no_setting_that_does_nothing(path: Path) -> None:
    for node in json.loads(path.read_text("utf-8"))["nodes"]:
        function = node["command"].rpartition(":")[2].partition("@")[0]
        if function in MANIFEST["actions"] or function in MANIFEST["triggers"]:
            checked(function, node.get("fields", {}))
            # Named in the flow it would win over DOCKER_HOST, which README says is used.
            assert "server" not in node.get("fields", {})


FIND = {"objectType", "lookupBy", "allowCriteriaToBeOmitted", "allowZeroResults"}
READ_BY_ITS_JOB = FIND | {"answer", "dontThrowOn"}
"""Settings that one job or a few have alone, and read themselves."""


def test_every_setting_of_an_action_is_read() -> None:
    """A declared setting that nothing reads would do nothing either."""
    operations, jobs = set(), set()
    for item in MANIFEST["actions"].values():
        (jobs if "/jobs/" in item["main"] else operations).update(item["fields"])
    asked: set[str] = set()

    class Watched(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            asked.add(key)
            return default

    StepSettings.parse(Watched())
    assert asked == operations
    JobSettings.parse(Watched())
    assert jobs - READ_BY_ITS_JOB <= asked
