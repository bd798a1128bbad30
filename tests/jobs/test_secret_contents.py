"""The content of a secret is in nothing that a job writes, whatever goes wrong: logs, errors, labels, plans."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lib.job.vault import mark
from lib.job.vault.kind import CONFIG, SECRET, Kind
from lib.sailor.message.ids import random_id
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import Outcome, forget_engines, run_step
from tests.engine.scripted import Scripted, answer, say
from tests.jobs.engines import config
from tests.jobs.vaults import BOTH_KINDS, MARK, cleared, key_of, manager, own, reference, service, told
from tests.lab.engine import LabEngine

__all__ = ["manager", "own"]
CONTENT = 'Zx9"käse\\&<q7 w>pl0'
BINARY = b"\xff\xfe-binary-\x00-secret-\x9c"
ID = "x3q0d1r8m2n5k7j9h4g6f1e2d"


def forms(data: bytes) -> list[str]:
    """How a content may be written."""
    text = data.decode("latin-1") if data == BINARY else data.decode()
    packed = [base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()]
    return [
        text,
        json.dumps(text)[1:-1],
        repr(text)[1:-1],
        quote(text),
        data.hex(),
        data.hex().upper(),
        *packed,
    ]


def everything(outcome: Outcome) -> str:
    """All that a step published and logged."""
    published = [(str(one.kind), _plain(one.value), dict(one.headers)) for one in outcome.transport.published]
    return "\n".join([repr(published), json.dumps(published, default=str), *outcome.log])


def _plain(value: Any) -> Any:
    return getattr(value, "body", value)


def shows(outcome: Outcome, data: bytes) -> list[str]:
    text = everything(outcome)
    return [form for form in forms(data) if form in text]


@pytest.mark.engine
@BOTH_KINDS
@pytest.mark.parametrize("data", [CONTENT.encode(), BINARY], ids=["text", "binary"])
def test_no_end_of_the_job_tells_the_content(
    manager: LabEngine, kind: Kind, data: bytes, tmp_path: Path
) -> None:
    name, storage = f"v{random_id()[:13]}", FolderStorage(str(tmp_path))
    entry = storage.store([data], content_type="text/plain")
    given = {"attachment": "a"} if data == BINARY else {"content": CONTENT}

    def run(fields: dict[str, Any], **settings: Any) -> Outcome:
        shared = {"verbose": True, "errorPolicy": "emit", **settings}
        body = {"name": name, **given, **fields}
        return run_step(
            key_of(kind), body, config(manager, **shared), attachments={"a": entry}, storage=storage
        )

    fixed = {"versions": "fixed"}
    try:
        outcomes = [
            run(fixed, dryRun=True),
            run(fixed),
            run(fixed),
            run({}),
            run({"labels": {"a": "1"}}),
            run({"labels": "no"}),
            run({"name": "a b"}),
            run({}, accessMode="readOnly"),
            run({"both": "x", "content": CONTENT, "attachment": "a"}),
        ]
        there = told(manager, kind, name)
        service(manager, kind, f"{name}-user", reference(kind, there["ID"], name, "file"))
        given = {"content": "another-content-of-it"}
        outcomes.append(run(fixed))  # in use
        assert outcomes[-1].bodies[0]["error"]["name"] == "WouldDestroy"
        assert [shows(outcome, data) for outcome in outcomes] == [[]] * len(outcomes)
        assert "another-content-of-it" not in everything(outcomes[-1])
        for listed in manager.wire.do("GET", kind.list, filters={"name": [name]}).json():
            about = json.dumps({**listed["Spec"], "Data": None})
            assert [form for form in forms(data) if form in about] == []
    finally:
        cleared(manager, kind, name)


@BOTH_KINDS
@pytest.mark.parametrize("form", range(len(forms(CONTENT.encode()))))
def test_it_fails_without_what_an_engine_says_of_the_content(tmp_path: Path, kind: Kind, form: int) -> None:
    """An engine, or a proxy before it, that repeats what it got."""
    said = json.dumps({"message": f"bad content {forms(CONTENT.encode())[form]}, sorry"}).encode()
    with Scripted(tmp_path, say(answer(b"[]")), say(answer(said, "400 Bad Request"))) as server:
        settings = {"server": "2", "otherServer": server.url, "errorPolicy": "emit", "verbose": True}
        outcome = run_step(key_of(kind), {"name": "x1", "content": CONTENT}, settings)
    forget_engines()
    assert "bad content ***, sorry" in outcome.bodies[0]["error"]["message"]
    assert shows(outcome, CONTENT.encode()) == []


@BOTH_KINDS
@pytest.mark.parametrize(
    "listed",
    [
        5,
        {},
        [5],
        [{}],
        [{"ID": ID}],
        [{"ID": ID, "Spec": 5}],
        [{"ID": ID, "Spec": {"Name": "x1", "Labels": 5}}],
    ],
    ids=json.dumps,
)
def test_it_fails_where_the_answer_is_none(tmp_path: Path, kind: Kind, listed: Any) -> None:
    with Scripted(tmp_path, say(answer(json.dumps(listed).encode()))) as server:
        settings = {"server": "2", "otherServer": server.url, "errorPolicy": "emit"}
        wish = {"name": "x1", "content": "one", "versions": "fixed"}
        body = run_step(key_of(kind), wish, settings).body
        assert [request.split()[0] for request in server.requests] == [b"GET"]
    forget_engines()
    assert body["error"]["name"] == "EngineFault"


def test_a_mark_has_a_salt_and_the_content_is_not_in_it() -> None:
    data = CONTENT.encode()
    one, other = mark.mark_of(data), mark.mark_of(data)
    assert one != other
    assert (mark.fits(one, data), mark.fits(one, data + b"x")) == (True, False)
    assert not [form for form in forms(data) if form in one]
    assert MARK == mark.MARK
    assert (SECRET.readable, CONFIG.readable) == (False, True)


@pytest.mark.parametrize("label", ["", "x", "scrypt.30.8.1.00.00", "scrypt.15.8.3..", "9" * 100_000])
def test_a_label_of_somebody_else_is_no_mark_and_costs_nothing(label: str) -> None:
    assert mark.fits(label, b"x") is None
