"""EngineRequest: any call as it is written, and no way to anywhere else."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lib.engine.errors import BadInput
from lib.job.request.headers import headers_of
from lib.job.request.target import target_of
from lib.sailor.message.ids import random_id
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import Outcome, forget_engines, run_step
from tests.engine.scripted import Act, Scripted, answer, chunked, say, say_and_close
from tests.jobs.crash import AFTER, Death, Delivery, deaths
from tests.jobs.engines import config, own
from tests.jobs.finding import done, failed
from tests.lab.engine import LabEngine

__all__ = ["own"]
KEY = "EngineRequest"
FAIL = {"errorPolicy": "throwError"}


def step(tmp_path: Path, body: dict[str, Any], *acts: Act, **settings: Any) -> tuple[Outcome, list[bytes]]:
    """What came of a message, and the requests that a server on a socket got."""
    storage = FolderStorage(str(tmp_path / "storage"))
    redelivered = settings.pop("redelivered", False)
    with Scripted(tmp_path, *acts) as engine:
        given = {"server": "2", "otherServer": engine.url, **FAIL, **settings}
        try:
            outcome = run_step(KEY, body, given, storage=storage, redelivered=redelivered)
        finally:
            forget_engines()
    return outcome, engine.requests


@pytest.mark.parametrize(
    ("path", "query", "sent"),
    [
        ("/containers/json", None, "/v1.41/containers/json"),
        ("/v1.40/containers/json?all=1", None, "/v1.40/containers/json?all=1"),
        (
            "/images/registry.example.org:5000/shop/web:1/json",
            None,
            "/v1.41/images/registry.example.org:5000/shop/web:1/json",
        ),
        (
            "/images/json",
            {"filters": {"label": ["a=b"]}},
            "/v1.41/images/json?filters=%7B%22label%22%3A+%5B%22a%3Db%22%5D%7D",
        ),
        ("/x?a=1", {"t": ["one", "two"], "all": True, "none": None}, "/v1.41/x?a=1&t=one&t=two&all=true"),
        ("/networks/my net", None, "/v1.41/networks/my%20net"),
        ("/volumes/größe", None, "/v1.41/volumes/gr%C3%B6%C3%9Fe"),
    ],
)
def test_path_and_query_are_sent_as_they_are_meant(tmp_path: Path, path: str, query: Any, sent: str) -> None:
    body = {"method": "GET", "path": path, **({"query": query} if query else {})}
    outcome, requests = step(tmp_path, body, say(answer(b"{}")))

    assert done(outcome)["statusCode"] == 200
    assert requests[-1].split(b" ")[1].decode() == sent


@pytest.mark.parametrize(
    "path",
    [
        "containers/json",
        "http://other/containers/json",
        "//other/containers/json",
        "/containers/../secrets",
        "/containers/%2e%2e/secrets",
        "/containers/%252e%252e/secrets",
        "/containers/%25252525252e",
        "/containers/./json",
        "/containers/a%2fb/json",
        "/containers/a%5cb/json",
        "/containers/\\..\\json",
        "/x\r\nHost: other",
        "/x%0d%0aHost:other",
        "/x#fragment",
        "/x%zz",
        "/x%4",
        "/x?a=b c",
        "/x?a=%",
        "/session",
        "/v1.41/session",
        "/grpc",
        "/containers/web/attach",
        "/containers/web/attach/ws",
        "/containers/web/attach/ws/",
        "/" + "a" * 9000,
        "\ud800",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused_and_names_the_field(path: str) -> None:
    with pytest.raises(BadInput) as refused:
        target_of({"path": path})
    assert refused.value.field == "path"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "other"},
        {"content-length": 5},
        {"Upgrade": "tcp"},
        {"Authorization": "Basic x"},
        {"Proxy-Authorization": "x"},
        {"Transfer-Encoding": "chunked"},
        {"X-A": "one\r\nHost: other"},
        {"X A": "one"},
        {"X-A:": "one"},
        {f"X-{number}": "one" for number in range(60)},
    ],
)
def test_headers_that_decide_the_way_are_refused(headers: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        headers_of({"headers": headers})
    assert refused.value.field == "headers"


JSON_LINES = chunked({"a": 1}, {"a": 2})


@pytest.mark.parametrize(
    ("told", "how", "found"),
    [
        (answer(b'{"a": 1}'), "auto", {"body": {"a": 1}}),
        (answer(b"[1]"), "json", {"body": [1]}),
        (answer(b"OK", kind="text/plain"), "auto", {"text": "OK"}),
        (answer(b"a\xff", kind="text/plain"), "auto", {"text": "a�", "lossy": True}),
        (answer(b'{"a": 1}'), "text", {"text": '{"a": 1}'}),
        (JSON_LINES, "auto", {"lines": [{"a": 1}, {"a": 2}]}),
        (answer(b'{"a": 1}\nodd\n'), "lines", {"lines": [{"a": 1}, "odd"]}),
        (
            answer(b'\x1e{"a": 1}\n\x1e{"a": 2}\n', kind="application/json-seq"),
            "auto",
            {"lines": [{"a": 1}, {"a": 2}]},
        ),
        (answer(b"", "204 No Content"), "auto", {}),
        (answer(b"", "304 Not Modified"), "auto", {}),
    ],
)
def test_an_answer_is_what_it_is_or_what_is_asked_for(
    tmp_path: Path, told: bytes, how: str, found: Any
) -> None:
    outcome, _ = step(tmp_path, {"method": "GET", "path": "/x"}, say(told), answer=how)
    body = done(outcome)
    expected = {"body", "text", "lines", "lossy", "truncated", "attachment"}

    assert {key: value for key, value in body.items() if key in expected} == found


def test_head_has_headers_alone(own: LabEngine) -> None:
    found = done(run_step(KEY, {"method": "HEAD", "path": "/_ping"}, config(own)))

    assert (found["statusCode"], found["headers"]["ostype"]) == (200, "linux")
    assert not {"body", "text"} & set(found)


def test_an_archive_is_an_attachment(tmp_path: Path) -> None:
    told = say(answer(b"tar" * 1000, kind="application/x-tar"))
    outcome, _ = step(tmp_path, {"method": "GET", "path": "/containers/web/export"}, told)

    assert (done(outcome)["attachment"], done(outcome)["size"]) == ("answer", 3000)
    assert "answer" in outcome.messages[0].attachments
    assert [file.read_bytes() for file in (tmp_path / "storage").iterdir()] == [b"tar" * 1000]


@pytest.mark.parametrize("how", ["text", "lines", "json", "attachment"])
def test_more_than_the_limit_is_cut_or_an_error(tmp_path: Path, how: str) -> None:
    told = say(answer(b'{"a": 1}\n' * 1000))
    outcome, _ = step(tmp_path, {"method": "GET", "path": "/x"}, told, answer=how, maxBytes="100")

    if how in ("text", "lines"):
        assert done(outcome)["truncated"] == "maxBytes"
    else:
        assert failed(outcome)[0] == "LimitReached"
        assert not list((tmp_path / "storage").glob("*")) or how == "attachment"


def test_a_status_may_be_no_error(tmp_path: Path) -> None:
    refused = say(answer(b'{"message": "No such container: web"}', "404 Not Found"))
    body = {"method": "GET", "path": "/containers/web/json"}
    outcome, _ = step(tmp_path, body, refused, dontThrowOn="404, 409")

    assert done(outcome)["statusCode"] == 404
    assert "No such container" in done(outcome)["body"]["message"]


def test_a_status_that_is_none_is_refused(tmp_path: Path) -> None:
    outcome, requests = step(tmp_path, {"method": "GET", "path": "/x"}, dontThrowOn="200")

    assert "dontThrowOn" in failed(outcome)[1]
    assert requests == []


def test_a_lost_answer_to_a_change_is_unknown_and_never_repeated(tmp_path: Path) -> None:
    outcome, requests = step(tmp_path, {"method": "POST", "path": "/x", "body": {"a": 1}}, say_and_close(b""))

    assert failed(outcome)[0] == "OutcomeUnknown"
    assert len([one for one in requests if one.startswith(b"POST")]) == 1


@pytest.mark.parametrize("again", ["report", "runAgain"])
def test_repeat_of_a_message_that_the_broker_delivers_again(tmp_path: Path, again: str) -> None:
    body = {"method": "POST", "path": "/x"}
    outcome, requests = step(tmp_path, body, say(answer(b"{}")), onRepeat=again, redelivered=True)

    if again == "report":
        assert failed(outcome)[0] == "NotSettled"
        assert requests == []
    else:
        assert done(outcome)["changed"]


def test_repeat_of_a_read_is_no_matter(tmp_path: Path) -> None:
    outcome, _ = step(tmp_path, {"method": "GET", "path": "/x"}, say(answer(b"{}")), redelivered=True)

    assert done(outcome)["changed"] is False


def test_cookies_of_a_proxy_stay_here(tmp_path: Path) -> None:
    told = say(answer(b"{}", "200 OK\r\nSet-Cookie: sesame"))
    outcome, _ = step(tmp_path, {"method": "GET", "path": "/x"}, told)

    assert "sesame" not in json.dumps(done(outcome))


def test_it_succeeds_on_a_real_engine(own: LabEngine) -> None:
    made = done(
        run_step(KEY, {"method": "POST", "path": "/volumes/create", "body": {"Name": "asked"}}, config(own))
    )
    listed = done(run_step(KEY, {"method": "GET", "path": "/volumes"}, config(own)))
    gone = done(run_step(KEY, {"method": "DELETE", "path": "/volumes/asked"}, config(own)))

    assert (made["statusCode"], made["body"]["Name"], made["changed"]) == (201, "asked", True)
    assert "asked" in [one["Name"] for one in listed["body"]["Volumes"]]
    assert (gone["statusCode"], gone.get("body")) == (204, None)


def test_it_fails_with_what_the_engine_says(own: LabEngine) -> None:
    outcome = run_step(KEY, {"method": "GET", "path": "/containers/none/json"}, config(own, **FAIL))

    assert failed(outcome)[0] == "NotFound"


def test_events_are_lines_until_the_time_is_up(own: LabEngine) -> None:
    own.wire.do("POST", f"/images/{own.image}/tag", repo="seen", tag="1")
    body = {"method": "GET", "path": "/events", "query": {"since": "1"}}
    found = done(run_step(KEY, body, config(own, answer="lines", maxSeconds="2")))

    assert found["truncated"] == "maxSeconds"
    assert "tag" in [line["Action"] for line in found["lines"]]


def test_dry_run_sends_nothing_that_changes(own: LabEngine) -> None:
    body = {"method": "POST", "path": "/volumes/create", "body": {"Name": "never"}}
    found = done(run_step(KEY, body, config(own, dryRun=True)))

    assert (found["changed"], [one["name"] for one in found["plan"]]) == (False, ["POST /volumes/create"])
    assert own.wire.ask("GET", "/volumes/never").status == 404


def test_read_only_allows_reads_alone(own: LabEngine) -> None:
    reads = config(own, accessMode="readOnly", **FAIL)
    body = {"method": "POST", "path": "/volumes/create", "body": {"Name": "never"}}

    assert done(run_step(KEY, {"method": "GET", "path": "/info"}, reads))["statusCode"] == 200
    assert failed(run_step(KEY, body, reads))[0] == "ReadOnly"


@pytest.mark.parametrize(
    "body",
    [
        {"method": "GET", "path": "/x", "body": {"a": 1}},
        {"method": "POST", "path": "/x", "body": {}, "attachment": "a"},
    ],
)
def test_a_body_in_the_wrong_place_is_refused(tmp_path: Path, body: dict[str, Any]) -> None:
    outcome, requests = step(tmp_path, body)

    assert failed(outcome)[0] == "BadInput"
    assert requests == []


@pytest.mark.parametrize("die", deaths(1))
@pytest.mark.shows(KEY, "killed", "repeat")
def test_a_killed_request_is_not_sent_again_unasked(own: LabEngine, die: Death) -> None:
    name = f"asked-{random_id()}"
    body = {"method": "POST", "path": "/volumes/create", "body": {"Name": name}}
    one = Delivery(own, KEY, body, FAIL)
    assert len(one.run(die).calls) == (die[1] == AFTER)
    again = one.run()
    assert ([error["name"] for error in again.errors], again.calls) == (["NotSettled"], [])
    one.settings = {**FAIL, "onRepeat": "runAgain"}
    assert one.run().bodies[0]["statusCode"] == 201
    own.wire.do("DELETE", f"/volumes/{name}")


def test_two_at_once_are_two_requests_of_which_the_engine_takes_one(own: LabEngine) -> None:
    name = f"asked-{random_id()}"
    body = {"method": "POST", "path": "/containers/create", "query": {"name": name}}
    wish = {**body, "body": {"Image": own.image}}
    headers = {"messageId": random_id()}
    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(run_step, KEY, wish, config(own, **FAIL), headers=headers) for _ in range(2)]
        first, second = sorted([one.result() for one in sent], key=lambda outcome: len(outcome.errors))
    assert (done(first)["statusCode"], failed(second)[0]) == (201, "Conflict")
    own.remove(name)
