"""Whatever settings, input and answer meet: a message ends once, and nothing is lost in silence (fault 8.30)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.engine import Endpoint, Engine
from lib.engine.http.retry import Retry
from lib.sailor.settings import Settings
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.hostile_answers import JSON, answers
from tests.actions.hostile_engine import HostileEngine, Script
from tests.actions.stepping import Outcome, keep_engine, run_step
from tests.actions.test_hostile_answers import KEYS, MANIFEST, OURS, body_of, whole

INPUTS = ("id", "name", "requestBody", "filters", "path", "all", "tail", "since", "attachment", "version")
LARGE: st.SearchStrategy[Any] = st.builds(
    lambda text, times, many: {"a": text * times} if many is None else [{"a": text * (times % 999)}] * many,
    st.sampled_from(["y", "ä", "\\", "\0"]),
    st.integers(0, 60_000),
    st.none() | st.integers(0, 300),
)
SETTINGS = st.fixed_dictionaries(
    {
        "errorPolicy": st.sampled_from(["", "byComponent", "throwError", "rebound", "emit"]),
        "emitBehavior": st.sampled_from(["", "emitAll", "emitIndividually"]),
        "output": st.sampled_from(["", "text", "base64", "attachment"]),
        "notFound": st.sampled_from(["", "throwError", "emitEmpty"]),
        "maxBytes": st.sampled_from(["", "1", "1e3"]),
        "maxSeconds": st.just("30"),
    }
)
RUNTIME = st.builds(
    Settings,
    outgoing_message_size_limit=st.sampled_from([20_000, 45_000, 100_000, 10**7]),
    protocol_version=st.sampled_from([1, 2]),
    emit_lightweight_message=st.booleans(),
    object_storage_size_threshold=st.sampled_from([1_000, 40_000]),
    data_rate_limit=st.just(10**6),
    error_rate_limit=st.just(10**6),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileEngine]:
    with HostileEngine(tmp_path_factory.mktemp("hostile")) as engine:
        yield engine


@settings(
    max_examples=400,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    key=st.sampled_from(KEYS),
    answer=answers() | JSON.map(whole) | LARGE.map(whole),
    good=st.sampled_from([0, 0, 1, 2]),
    chosen=SETTINGS,
    runtime=RUNTIME,
    handed_on=st.integers(0, 9_000),
    odd=st.just({}) | st.dictionaries(st.sampled_from(INPUTS), JSON, max_size=3),
)
def test_a_message_ends_once_and_well_or_with_an_error_of_our_own_fault_8_30(
    engine: HostileEngine,
    key: str,
    answer: bytes,
    good: int,
    chosen: dict[str, str],
    runtime: Settings,
    handed_on: int,
    odd: dict[str, Any],
) -> None:
    engine.script = Script(good, answer)
    declared = MANIFEST["actions"][key]["fields"]
    config = {"server": engine.url, **{name: value for name, value in chosen.items() if name in declared}}
    keep_engine(config, Engine(Endpoint.parse(engine.url), retry=Retry(attempts=1)))
    outcome = run_step(
        key,
        {**body_of(key), **odd},
        config,
        storage=FolderStorage(engine.folder),
        settings=runtime,
        passthrough={"step_a": {"body": {"x": "y" * handed_on}}},
    )
    holds(outcome, config)


def holds(outcome: Outcome, config: dict[str, str]) -> None:
    errors, rebounds = outcome.errors, outcome.rebounds
    assert [ok for _, ok in outcome.transport.finished] == [not errors]
    assert {error["name"] for error in errors} <= OURS - {"EmissionTooLarge"}
    assert len(errors) + len(rebounds) <= 1
    assert not (rebounds and outcome.messages)
    if not (errors or rebounds or outcome.messages):  # an empty list, item by item
        assert config["emitBehavior"] == "emitIndividually"
    policy = config["errorPolicy"]
    assert not (rebounds and policy in ("throwError", "emit"))
    assert not (errors and policy == "emit")
