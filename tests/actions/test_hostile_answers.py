"""Whatever an engine answers, and whatever a message holds: an answer, or an error of our own (fault 8.30)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.engine import Endpoint, Engine, EngineError
from lib.engine.http.retry import Retry
from lib.metadata.facts import load
from lib.sailor.errors import SailorError
from lib.sailor.standalone.folder import FolderStorage
from lib.trigger import dropdowns as selection
from tests.actions.hostile_answers import JSON, answers
from tests.actions.hostile_engine import HostileEngine, Script
from tests.actions.stepping import keep_engine, run_step
from tests.local.running import ROOT

FACTS = load()
KEYS = list(FACTS.operations)
MANIFEST = json.loads((ROOT / "component.json").read_text("utf-8"))
# What some triggers cannot do without.
LIMITS = {
    "imageUpdated": {"references": "nginx", "startFrom": "everything"},
    "resourceThreshold": {"cpuPercent": "1"},
    "diskUsage": {"totalGigabytes": "1"},
}
# So that a run shows the same on every machine, and says what it saw.
STEADY = settings(
    max_examples=12,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def names_of(kind: type[Exception]) -> set[str]:
    return {kind.__name__}.union(*(names_of(below) for below in kind.__subclasses__()))


OURS = names_of(EngineError) | names_of(SailorError)


def whole(value: Any) -> bytes:
    """A good answer with any JSON in it."""
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileEngine]:
    with HostileEngine(tmp_path_factory.mktemp("hostile")) as engine:
        yield engine


def run(engine: HostileEngine, key: str, body: Any, script: Script, **more: Any) -> list[dict[str, Any]]:
    """One message through the step; its errors. Nothing is tried again: the answer would be the same."""
    engine.script = script
    config = {"server": engine.url, **more}
    keep_engine(config, Engine(Endpoint.parse(engine.url), retry=Retry(attempts=1)))
    return run_step(key, body, config, storage=FolderStorage(engine.folder)).errors


@pytest.mark.parametrize("key", KEYS)
def test_whatever_an_engine_answers(engine: HostileEngine, key: str) -> None:
    """Fault 8.30: only errors of our own leave a handler, and soon."""
    asked: list[int] = []
    modes = st.sampled_from([{}, {"emitBehavior": "emitIndividually"}]) if lists(key) else st.just({})

    @STEADY
    @given(answer=answers(), good=st.sampled_from([0, 0, 0, 1, 2]), mode=modes)
    def holds(answer: bytes, good: int, mode: dict[str, str]) -> None:
        script = Script(good, answer)
        errors = run(engine, key, body_of(key), script, errorPolicy="throwError", **mode)
        asked.append(script.asked)
        assert [error for error in errors if error["name"] not in OURS] == []

    holds()
    assert any(asked), "nothing was ever sent"


@pytest.mark.parametrize("key", [key for key in MANIFEST["triggers"] if key != "startFlow"])
def test_whatever_an_engine_answers_to_a_trigger(engine: HostileEngine, key: str) -> None:
    """Fault 8.30: a poll ends with errors of our own, so that the next one begins where this one did."""
    asked: list[int] = []

    @settings(STEADY, max_examples=40)
    @given(answer=answers() | JSON.map(whole), good=st.integers(0, 3))
    def holds(answer: bytes, good: int) -> None:
        script = Script(good, answer, clock=True)
        errors = run(engine, key, {}, script, **LIMITS.get(key, {}))
        asked.append(script.asked)
        assert [error for error in errors if error["name"] not in {*OURS, "TriggerNotice"}] == []

    holds()
    assert any(asked), "nothing was ever sent"


@pytest.mark.parametrize("menu", ["containers", "images", "networks", "services", "nodes", "labels"])
@STEADY
@given(answer=answers() | JSON.map(whole))
def test_whatever_an_engine_answers_to_a_menu(engine: HostileEngine, menu: str, answer: bytes) -> None:
    """Fault 8.30."""
    engine.script = Script(0, answer)
    config = {"server": engine.url}
    keep_engine(config, Engine(Endpoint.parse(engine.url), retry=Retry(attempts=1)))
    with suppress(EngineError):
        getattr(selection, menu)(None, config)


def lists(key: str) -> bool:
    return FACTS.shapes[key]["answer"] in ("array", "lines", "logs", "stats", "progress", "build")


def body_of(key: str) -> dict[str, Any]:
    """An input that needs no attachment."""
    body = {
        name: item
        for name, item in FACTS.examples[key].items()
        if name not in ("attachment", "stdinAttachment")
    }
    body.pop("url", None)
    if FACTS.operations[key].get("body", {}).get("contentTypes") or key in UPLOADS:
        body["requestBody"] = "H4sI"  # as a compressed archive begins
    return body


UPLOADS = ("PutContainerArchive", "ImageLoad", "ImageBuild", "PluginCreate")

_ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(
            float("inf"),
            float("nan"),
            10**4000,
            -1,
            1e308,
            "\ud800",
            "\udfff/x",
            "\x00",
            "a\r\nb: c",
            "..",
            "9" * 5000,
        ),
        *(
            "2026-99-99T00:00:00Z",
            "1e400",
            {"\ud800": 1},
            {"": ""},
            [[]],
            {"a": {"b": [None]}},
            "{",
            '{"a":NaN}',
        ),
    ]
)


def nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = {"a": [value]}
    return value


DEEP = st.builds(nested, st.none() | st.text(max_size=2), st.sampled_from([5, 60, 200]))
ANY = JSON | _ODD | DEEP


@pytest.mark.parametrize("key", KEYS)
def test_whatever_a_message_holds(engine: HostileEngine, key: str) -> None:
    """Fault 8.30: any JSON is work to do or an error of our own."""
    names = sorted(
        {parameter.get("field", parameter["name"]) for parameter in FACTS.operations[key]["parameters"]}
    )
    names += ["requestBody", "attachment", "stdinText", "file", "url", "dockerfileText"]
    values = ANY | st.dictionaries(st.sampled_from(body_names(key)), ANY, max_size=3)
    changes = st.dictionaries(st.sampled_from(names), values, max_size=3)

    @STEADY
    @given(body=changes.map(lambda change: {**body_of(key), **change}) | ANY)
    def holds(body: Any) -> None:
        errors = run(engine, key, body, Script(3, b""), errorPolicy="throwError")
        assert [error for error in errors if error["name"] not in OURS] == []

    holds()


def body_names(key: str) -> list[str]:
    definition = FACTS.operations[key].get("body", {}).get("definition", "")
    return [
        *FACTS.definitions.get(definition, {}).get("properties", {}),
        "HostConfig",
        "label",
        "username",
        "x",
    ]
