"""LookupObjects: all objects that fulfil conditions, on real engines."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jobs.engines import own
from tests.jobs.finding import WEB, done, failed, furnish, step
from tests.lab.engine import LabEngine

__all__ = ["own"]
OURS = {"field": "label", "condition": "=", "value": "app"}
"""The containers of the street, not those of the swarm."""


@pytest.fixture(scope="module")
def street(own: LabEngine) -> LabEngine:
    furnish(own)
    return own


def found(engine: LabEngine, kind: str, *terms: Any, by: str = "and", **fields: Any) -> list[str]:
    body = {"terms": [_term(term) for term in terms], "link": by, **fields}
    answer = done(step(engine, "LookupObjects", body, kind))
    assert answer["total"] == len(answer["results"])
    return [one["name"] for one in answer["results"]]


def _term(term: Any) -> dict[str, Any]:
    return term if isinstance(term, dict) else dict(zip(("field", "condition", "value"), term, strict=True))


@pytest.mark.parametrize(
    ("term", "names"),
    [
        (("label", "=", "app=web"), ["web", "web-2"]),
        (("label", "≠", "app=web"), ["over"]),
        (("label", "like", "app=b*"), ["over"]),
        (("label", "in", "app=batch,com.example.team=shop"), ["over", "web"]),
        (("name", "=", "web"), ["web"]),
        (("name", "!=", "web"), ["over", "web-2"]),
        (("name", "like", "web*"), ["web", "web-2"]),
        (("name", "in", ["over", "web-2", "none"]), ["over", "web-2"]),
        (("name", ">", "over"), ["web", "web-2"]),
        (("image", "=", "registry.local/shop/web"), ["web", "web-2"]),
        (("image", "=", WEB), ["web", "web-2"]),
        (("image", "≠", WEB), ["over"]),
        (("image", "like", "registry.local/*"), ["web", "web-2"]),
        (("state", "in", "running,exited"), ["over", "web"]),
        (("state", "≠", "running"), ["over", "web-2"]),
        (("health", "=", "none"), ["over", "web", "web-2"]),
        (("State.ExitCode", ">", 2), ["over"]),
        (("State.ExitCode", "≤", "2"), ["web", "web-2"]),
        (("State.ExitCode", "<=", "+2.5"), ["web", "web-2"]),
        (("State.Running", "=", True), ["web"]),
        (("HostConfig.PortBindings.80/tcp.HostPort", "≥", 8080), ["web"]),
        (("created", ">", "1h"), ["over", "web", "web-2"]),
        (("created", "<", "1h"), []),
        (("created", "≥", "2020-01-01"), ["over", "web", "web-2"]),
        (("State.FinishedAt", ">", "1h"), ["over"]),
    ],
)
@pytest.mark.shows("LookupObjects", "succeeds")
def test_a_condition(street: LabEngine, term: Any, names: list[str]) -> None:
    assert found(street, "container", OURS, term) == names


def test_all_conditions_are_needed_or_one_of_them(street: LabEngine) -> None:
    terms = [("name", "=", "web"), ("State.ExitCode", "=", 3)]
    assert found(street, "container", *terms) == []
    assert found(street, "container", *terms, by="or") == ["over", "web"]
    assert found(street, "container", ("label", "=", "app=batch"), ("name", "=", "web"), by="or") == [
        "over",
        "web",
    ]


@pytest.mark.parametrize(
    ("kind", "term", "names"),
    [
        ("image", ("name", "=", "registry.local/shop/web:1"), [WEB]),
        ("image", ("name", "like", "registry.local/*"), [WEB]),
        ("network", ("name", "=", "shop-2"), ["shop-2"]),
        ("volume", ("label", "=", "app"), ["data"]),
        ("volume", ("name", "like", "dat?"), ["data"]),
        ("service", ("image", "=", "busybox"), ["db", "db-2"]),
        ("service", ("object.Spec.Mode.Replicated.Replicas", "=", 0), ["db-2"]),
        ("secret", ("label", "=", "app=db-2"), ["db-2"]),
        ("config", ("name", "in", "db"), ["db"]),
        ("plugin", ("state", "=", "enabled"), []),
    ],
)
def test_a_condition_of_other_types(street: LabEngine, kind: str, term: Any, names: list[str]) -> None:
    assert found(street, kind, term) == names


def test_order(street: LabEngine) -> None:
    assert found(street, "container", OURS, orderBy=["name desc"]) == ["web-2", "web", "over"]
    assert found(street, "container", OURS, orderBy=["State.ExitCode desc", "name desc"]) == [
        "over",
        "web-2",
        "web",
    ]


def test_a_page(street: LabEngine) -> None:
    def page(number: int) -> Any:
        body = {"terms": [OURS], "pageSize": 2, "pageNumber": number, "maxResults": 1}
        return done(step(street, "LookupObjects", body, "container", emitBehavior="emitPage"))

    pages = [page(number) for number in range(3)]
    assert [[one["name"] for one in each["results"]] for each in pages] == [["over", "web"], ["web-2"], []]
    assert [(each["total"], each["pageNumber"]) for each in pages] == [(3, 0), (3, 1), (3, 2)]


def test_one_message_per_object(street: LabEngine) -> None:
    bodies = step(
        street, "LookupObjects", {"terms": [OURS]}, "container", emitBehavior="emitIndividually"
    ).bodies
    assert [body["name"] for body in bodies] == ["over", "web", "web-2"]
    assert [body["object"]["Name"] for body in bodies] == ["/over", "/web", "/web-2"]
    none = {"terms": [{"field": "name", "value": "nobody"}]}
    assert step(street, "LookupObjects", none, "container", emitBehavior="emitIndividually").bodies == []


@pytest.mark.shows("LookupObjects", "fails")
def test_more_than_wanted_is_an_error(street: LabEngine) -> None:
    name, text = failed(step(street, "LookupObjects", {"terms": [OURS], "maxResults": 2}, "container"))
    assert name == "LimitReached"
    assert "3 containers match, and maxResults is 2" in text


def test_more_to_look_at_than_there_is_time_is_an_error(street: LabEngine) -> None:
    body = {"terms": [OURS, {"field": "state", "value": "running"}]}
    name, text = failed(step(street, "LookupObjects", body, "container", maxSeconds="0.001"))
    assert name == "LimitReached"
    assert "0.001 seconds" in text


def test_terms_as_a_text_of_json(street: LabEngine) -> None:
    body = {"terms": '[{"field": "label", "value": "app=batch"}]'}
    assert [one["name"] for one in done(step(street, "LookupObjects", body, "container"))["results"]] == [
        "over"
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"terms": [{"field": "name"}]},
        {"terms": [{"field": "name", "value": ""}]},
        {"terms": [{"field": "name", "value": []}]},
        {"terms": [{"field": "name", "value": ["a"]}]},
        {"terms": '[{"value": "x"}]'},
        {"terms": '[{"field": "name", "condition": "is", "value": "x"}]'},
        {"terms": "no JSON"},
        {"terms": [{"field": "created", "condition": "<", "value": "yesterday"}]},
        {"orderBy": ["name down"]},
        {"orderBy": ["label"]},
        {"link": "xor"},
        {"pageSize": 0},
        {"terms": [{"field": "x" * 201, "value": "x"}]},
    ],
)
def test_what_cannot_be_meant_is_refused(street: LabEngine, body: dict[str, Any]) -> None:
    assert failed(step(street, "LookupObjects", body, "container"))[0] == "BadInput"


def test_a_read_only_credential_is_enough(street: LabEngine) -> None:
    body = {"terms": [OURS]}
    assert done(step(street, "LookupObjects", body, "container", accessMode="readOnly"))["total"] == 3
