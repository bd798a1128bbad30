"""ReportEngine on real engines: what is there, what is worth a look, what has changed; and no secrets."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import forget_engines, run_step
from tests.engine.scripted import Scripted, answer, say
from tests.jobs.engines import config, own
from tests.jobs.finding import done, failed
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import SocketProxy

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "ReportEngine"
SECRET = "sesame-open-7331"


@pytest.fixture(autouse=True)
def web(own: LabEngine) -> Iterator[str]:
    """A container with a secret in all places where there are some, and an open port."""
    own.run(
        ["sh", "-c", f"echo {SECRET}; sleep 600"],
        name="web",
        Env=[f"PASSWORD={SECRET}"],
        Labels={"token": SECRET},
        ExposedPorts={"80/tcp": {}},
        HostConfig={"PortBindings": {"80/tcp": [{"HostPort": "18099"}]}, "Binds": ["data:/data"]},
    )
    yield "web"
    own.remove("web")
    own.wire.ask("DELETE", "/volumes/data")


def report(engine: LabEngine, fields: dict[str, Any] | None = None, **more: Any) -> Any:
    return done(run_step(KEY, fields or {}, config(engine, errorPolicy="throwError"), **more))


def test_it_succeeds_with_all_parts_and_no_secret(own: LabEngine) -> None:
    told = report(own)
    (web,) = [one for one in told["report"]["containers"] if one["name"] == "web"]

    assert set(told["report"]) - {"form"} == {
        "engine",
        "containers",
        "images",
        "volumes",
        "networks",
        "disk",
        "swarm",
    }
    assert (web["state"], web["ports"][0]["hostPort"]) == ("running", "18099")
    assert {"name": "data", "driver": "local", "usedBy": ["web"]} in told["report"]["volumes"]
    assert told["report"]["engine"]["version"].startswith(own.version[:5])
    assert SECRET not in json.dumps(told)
    assert told["missing"] == []


def test_what_is_worth_a_look_is_found(own: LabEngine) -> None:
    found = {one["finding"] for one in report(own)["findings"] if one["name"] == "web"}

    assert found == {"noLimit", "publicPort"}
    assert "container\tweb\tnoLimit" in report(own)["text"]


def test_parts_may_be_chosen(own: LabEngine) -> None:
    assert set(report(own, {"parts": ["disk"]})["report"]) == {"form", "disk"}


def test_an_earlier_report_is_compared(own: LabEngine, tmp_path: Path) -> None:
    storage = FolderStorage(str(tmp_path))
    first = run_step(KEY, {"format": "json"}, config(own), storage=storage)
    entry = first.messages[0].attachments["report.json"]
    own.run(name="new")
    own.wire.do("POST", "/containers/web/pause")
    told = report(own, {"compareWith": "old"}, storage=storage, attachments={"old": entry})
    own.remove("new")

    assert {"kind": "container", "name": "new", "change": "added"} in told["differences"]
    assert {"kind": "container", "name": "web", "change": "changed", "fields": ["state"]} in told[
        "differences"
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"form": 2}',
        b'{"form": 1, "containers": 7}',
        b'{"form": 1, "images": [{"tags": 5}, 7, null]}',
    ],
)
def test_what_is_no_report_fails_or_is_passed_over(own: LabEngine, tmp_path: Path, content: bytes) -> None:
    storage = FolderStorage(str(tmp_path))
    entry = storage.store([content], content_type="application/json")
    settings = config(own, errorPolicy="throwError")
    outcome = run_step(KEY, {"compareWith": "old"}, settings, storage=storage, attachments={"old": entry})

    if b'"form": 1' in content:
        assert all(one["change"] in ("added", "removed") for one in done(outcome)["differences"])
    else:
        assert failed(outcome)[0] == "BadInput"


def test_a_spreadsheet_gets_no_formula(own: LabEngine, tmp_path: Path) -> None:
    storage = FolderStorage(str(tmp_path))
    outcome = run_step(KEY, {"format": "csv"}, config(own), storage=storage)
    with storage.open(outcome.messages[0].attachments["report.csv"]) as blob:
        rows = list(csv.DictReader(b"".join(blob.chunks()).decode().splitlines()))

    assert [row["state"] for row in rows if row["name"] == "web"] == ["running"]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@"))]


def test_a_part_that_is_forbidden_is_named_and_the_others_are_told(own: LabEngine) -> None:
    with SocketProxy(own.socket, r"(GET|HEAD) /(?!system/df|networks).*") as proxy:
        settings = config(own, otherServer=proxy.url, errorPolicy="throwError")
        told = done(run_step(KEY, {}, settings))

    assert sorted(one["part"] for one in told["missing"]) == ["disk", "networks"]
    assert "web" in [one["name"] for one in told["report"]["containers"]]


def test_read_only_is_enough(own: LabEngine) -> None:
    settings = config(own, accessMode="readOnly", errorPolicy="throwError")

    assert done(run_step(KEY, {}, settings))["report"]["containers"]


@pytest.mark.parametrize("answer_of", [b"[7]", b"[{}]", b"7", b'{"Id": 5}'])
def test_answers_of_another_form_fail_as_such(tmp_path: Path, answer_of: bytes) -> None:
    with Scripted(tmp_path, *[say(answer(answer_of))] * 3) as engine:
        settings = {"server": "2", "otherServer": engine.url, "errorPolicy": "throwError"}
        try:
            for part in ("containers", "volumes"):
                outcome = run_step(KEY, {"parts": [part]}, settings)
                assert outcome.errors[0]["name"] == "EngineFault", outcome.errors
        finally:
            forget_engines()
