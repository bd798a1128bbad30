"""The setting outputForm: answers in the form of the connector of 2019."""

from __future__ import annotations

import json

import pytest

from tests.actions.conftest import Run
from tests.engine.scripted import answer, say

WEB = {"id": "web"}
LIST = b'[{"Id": "1", "Names": ["/web"]}]'


def test_a_list_is_under_obj_and_body_and_as_text(run: Run) -> None:
    (body,) = run("ContainerList", {}, say(answer(LIST)), outputForm="response").bodies

    assert body["obj"] == body["body"] == json.loads(LIST)
    assert body["text"] == body["data"] == LIST.decode()
    assert (body["ok"], body["status"], body["statusText"]) == (True, 200, "OK")


def test_it_is_one_message_also_where_items_would_be_emitted_one_by_one(run: Run) -> None:
    many = json.dumps([{"Id": str(number)} for number in range(3)]).encode()
    outcome = run(
        "ContainerList", {}, say(answer(many)), outputForm="response", emitBehavior="emitIndividually"
    )

    assert [len(body["obj"]) for body in outcome.bodies] == [3]


def test_headers_have_lower_case_names_and_cookies_stay_here(run: Run) -> None:
    told = answer(b"{}", "200 OK\r\nServer: Docker/28.5\r\nSet-Cookie: sesame")
    (body,) = run("ContainerInspect", WEB, say(told), outputForm="response").bodies

    assert body["headers"]["server"] == "Docker/28.5"
    assert "sesame" not in json.dumps(body)


def test_what_the_step_found_out_itself_has_the_form_too(run: Run) -> None:
    (body,) = run("ContainerStart", WEB, say(answer(b"", "304 Not Modified")), outputForm="response").bodies

    assert (body["status"], body["headers"], body["obj"]) == (200, {}, {"changed": False})


@pytest.mark.parametrize("form", ["values", ""])
def test_without_it_the_values_are_emitted(run: Run, form: str) -> None:
    assert run("ContainerList", {}, say(answer(LIST)), outputForm=form).bodies == [
        {"results": json.loads(LIST)}
    ]


def test_a_stream_does_not_have_the_setting(run: Run) -> None:
    outcome = run("ContainerLogs", WEB, say(answer(b"")), outputForm="response")

    assert "outputForm" in outcome.errors[0]["message"]
