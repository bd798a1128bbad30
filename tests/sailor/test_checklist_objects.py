"""Statements 70 to 76 of the platform's checklist: lightweight messages and attachments."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sailor.platform_queues import seal, unseal
from tests.sailor.process import Process
from tests.sailor.step_harness import StepHarness

OBJECT_ID = "x-ipaas-object-storage-id"
TOKEN = "the-storage-token"
ABSENT = "/objects/absent"


def start(stage: StepHarness, function: str = "act", **changes: str) -> Process:
    changes = {"object_storage_uri": stage.platform.url, "object_storage_token": TOKEN, **changes}
    return stage.start(function, **changes)


def kept(stage: StepHarness, body: Any) -> str:
    """Keep a body in the object storage as the platform does: sealed, without base64."""
    return stage.platform.keep(seal(body, 2))


def by_reference(stage: StepHarness, object_id: str, **payload: Any) -> dict[str, Any]:
    return stage.wires.send({"body": {}, "headers": {OBJECT_ID: object_id}, **payload})


def test_70_a_named_body_is_fetched_and_its_name_removed(stage: StepHarness) -> None:
    start(stage)
    main, entry = kept(stage, {"do": "echo", "n": 1}), kept(stage, {"large": True})
    sent = by_reference(
        stage,
        main,
        passthrough={
            "step_a": {"body": {}, "headers": {OBJECT_ID: entry, "h": 1}},
            "step_b": {"body": {"small": 1}},
        },
    )

    body = stage.take("data").payload["body"]

    assert body["echo"] == {"do": "echo", "n": 1}
    assert body["headers"] == {}
    assert body["passthrough"] == {
        "step_a": {"body": {"large": True}, "headers": {"h": 1}},
        "step_b": {"body": {"small": 1}},
    }
    asked = stage.platform.asked("GET", f"/objects/{main}")[0]
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["x-request-id"] == f"f:flow1;s:step_1;m:{sent['messageId']}"


def test_70_better_a_stale_name_goes_no_further(stage: StepHarness) -> None:
    start(stage, "unresolved")
    stage.wires.send({"body": {"do": "without_id_header"}, "headers": {OBJECT_ID: "stale", "kept": 1}})

    payload = stage.take("data").payload

    assert payload["body"] == {"new": True}
    assert payload["headers"] == {"kept": 1}


def test_71_references_may_be_left_alone(stage: StepHarness) -> None:
    start(stage, "unresolved")
    by_reference(stage, "some-object")

    body = stage.take("data").payload["body"]

    assert body["echo"] == {}
    assert body["headers"] == {OBJECT_ID: "some-object"}
    assert not [request for request in stage.platform.requests if request.path.startswith("/objects")]


def test_72_an_absent_object_is_an_error_at_once(stage: StepHarness) -> None:
    start(stage)
    by_reference(stage, "absent")

    got = stage.take("error")

    assert got.error["message"] == "Failed to get message body with id=absent"
    assert got.error_input == {"body": {}, "headers": {OBJECT_ID: "absent"}}
    assert len(stage.platform.asked("GET", ABSENT)) == 1
    stage.settled()


def test_72_server_errors_are_retried(stage: StepHarness) -> None:
    start(stage)
    stage.platform.on("GET", ABSENT, (500, ""), (502, ""), (503, ""), (200, seal({"do": "echo"}, 2)))
    by_reference(stage, "absent")

    assert stage.take("data").payload["body"]["echo"] == {"do": "echo"}
    assert len(stage.platform.asked("GET", ABSENT)) == 4


def test_72_an_object_sealed_otherwise_is_an_error(stage: StepHarness) -> None:
    start(stage)
    by_reference(stage, stage.platform.keep(b"0123456789abcdef"))

    assert stage.take("error").error["message"].startswith("Failed to get message body with id=")


def test_72_without_an_object_storage_it_is_an_error_too(shared: StepHarness) -> None:
    by_reference(shared, "absent")

    assert shared.take("error").error["message"] == "Failed to get message body with id=absent"


def offload(stage: StepHarness, passthrough: dict[str, Any], size: int) -> Any:
    """What is sent when the function gives a text of this size, and 1,000 bytes are the threshold."""
    stage.platform.step["is_passthrough"] = True
    start(stage, emit_lightweight_message="1", object_storage_size_threshold="1000")
    stage.wires.send({"body": {"do": "sized", "size": size}, "passthrough": passthrough})
    return stage.take("data").payload


EARLIER = {"step_a": {"body": {"a": "größe"}, "headers": {"h": 1}}}
FRAME = len('{"text":""}') + len('{"a":"größe"}'.encode())


def test_73_the_threshold_itself_is_sent_as_it_is(stage: StepHarness) -> None:
    payload = offload(stage, EARLIER, 1000 - FRAME)

    assert len(payload["body"]["text"]) == 1000 - FRAME
    assert stage.platform.objects == {}


def test_73_one_byte_more_goes_to_the_object_storage(stage: StepHarness) -> None:
    payload = offload(stage, EARLIER, 1001 - FRAME)

    main, entry = payload["headers"][OBJECT_ID], payload["passthrough"]["step_a"]["headers"][OBJECT_ID]
    assert payload["body"] == payload["passthrough"]["step_a"]["body"] == {}
    assert payload["passthrough"]["step_a"]["headers"]["h"] == 1
    assert payload["passthrough"]["step_1"] == {"body": {}, "headers": {OBJECT_ID: main}}
    assert unseal(stage.platform.objects[main], 2) == {"text": "x" * (1001 - FRAME)}
    assert unseal(stage.platform.objects[entry], 2) == {"a": "größe"}
    assert set(stage.platform.objects) == {main, entry}


def test_73_objects_that_are_there_are_used_again(stage: StepHarness) -> None:
    stage.platform.step["is_passthrough"] = True
    start(stage, "unresolved", emit_lightweight_message="1", object_storage_size_threshold="10")
    passthrough = {"step_a": {"body": {}, "headers": {OBJECT_ID: "there-already"}}}
    stage.wires.send({"body": {"do": "sized", "size": 100}, "passthrough": passthrough})

    payload = stage.take("data").payload

    assert payload["passthrough"]["step_a"] == {"body": {}, "headers": {OBJECT_ID: "there-already"}}
    assert set(stage.platform.objects) == {payload["headers"][OBJECT_ID]}


def test_73_what_was_fetched_is_not_stored_again(stage: StepHarness) -> None:
    """Fault 8.14."""
    stage.platform.step["is_passthrough"] = True
    start(stage, emit_lightweight_message="1", object_storage_size_threshold="1000")
    entry = kept(stage, {"large": "y" * 2000})
    passthrough = {"step_a": {"body": {}, "headers": {OBJECT_ID: entry, "h": 1}}}
    stage.wires.send({"body": {"do": "sized", "size": 10}, "passthrough": passthrough})

    payload = stage.take("data").payload

    assert payload["passthrough"]["step_a"] == passthrough["step_a"]
    assert len(stage.platform.asked("POST", "/objects")) == 1
    assert set(stage.platform.objects) == {entry, payload["headers"][OBJECT_ID]}


def test_74_a_failed_upload_is_an_error(stage: StepHarness) -> None:
    stage.platform.on("POST", "/objects", (400, "no"))
    start(stage, emit_lightweight_message="1", object_storage_size_threshold="10")
    stage.do("sized", size=100)

    assert stage.take("error").error["message"] == "Lightweight message/passthrough body upload error"
    assert len(stage.platform.asked("POST", "/objects")) == 1
    stage.settled()
    assert stage.wires.peek("data") is None


def test_74_an_upload_is_retried(stage: StepHarness) -> None:
    stage.platform.on("POST", "/objects", (500, "no"), (201, {"objectId": "second-time"}))
    start(stage, emit_lightweight_message="1", object_storage_size_threshold="10")
    stage.do("sized", size=100)

    assert stage.take("data").payload["headers"] == {OBJECT_ID: "second-time"}


def test_75_references_of_the_passthrough_are_inlined_when_offloading_is_off(stage: StepHarness) -> None:
    stage.platform.step["is_passthrough"] = True
    start(stage, "unresolved")
    entry = kept(stage, {"large": True})
    passthrough = {"step_a": {"body": {}, "headers": {OBJECT_ID: entry}}}
    stage.wires.send({"body": {"do": "dictionary"}, "passthrough": passthrough})

    assert stage.take("data").payload["passthrough"]["step_a"] == {"body": {"large": True}, "headers": {}}


def test_75_a_reference_that_cannot_be_inlined_is_an_error(stage: StepHarness) -> None:
    stage.platform.step["is_passthrough"] = True
    start(stage, "unresolved")
    passthrough = {"step_a": {"body": {}, "headers": {OBJECT_ID: "absent"}}}
    stage.wires.send({"body": {"do": "dictionary"}, "passthrough": passthrough})

    assert stage.take("error").error["message"] == "Failed to get message body with id=absent"


def opened(stage: StepHarness, url: str, **more: Any) -> Any:
    stage.do("open_attachment", attachment={"url": url, **more})
    return stage.take("data").payload["body"]


def test_76_steward_is_read_without_authorization(stage: StepHarness) -> None:
    start(stage)
    stage.platform.keep(b"from steward", None, "one")
    url = f"{stage.platform.url}/steward/one?signature=secret"

    assert opened(stage, url) == {"text": "from steward", "size": 12, "type": "application/octet-stream"}
    asked = stage.platform.requests[-1]
    assert asked.path == "/steward/one?signature=secret"
    assert "authorization" not in asked.headers


def test_76_maester_is_read_with_the_token(stage: StepHarness) -> None:
    start(stage)
    name = stage.platform.keep(b"from maester")
    url = f"http://inner.address/objects/{name}?storage_type=maester"

    assert opened(stage, url, **{"content-type": "text/x"}) == {
        "text": "from maester",
        "size": 12,
        "type": "text/x",
    }
    asked = stage.platform.asked("GET", f"/objects/{name}")[0]
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


def test_76_other_storages_are_an_error(stage: StepHarness) -> None:
    start(stage)
    stage.do("open_attachment", attachment={"url": "http://x/objects/1?storage_type=other"})

    assert stage.take("error").error["message"] == 'Storage type "other" is not supported'


def test_76_an_absent_attachment_is_an_error_without_its_query(stage: StepHarness) -> None:
    start(stage)
    stage.do("open_attachment", attachment={"url": f"{stage.platform.url}/steward/two?signature=secret"})

    message = stage.take("error").error["message"]
    assert message == f"GET {stage.platform.url}/steward/two was answered with 404"


@pytest.mark.parametrize("size", [6, None])
def test_76_attachments_are_stored_in_maester(stage: StepHarness, size: int | None) -> None:
    start(stage)
    stage.do("store_attachment", size=size)

    file = stage.take("data").payload["attachments"]["file"]

    (name,) = stage.platform.objects
    assert file == {
        "url": f"{stage.platform.url}/objects/{name}?storage_type=maester",
        "size": 6,
        "content-type": "text/plain",
    }
    assert stage.platform.objects[name] == b"abcdef"
    assert stage.platform.object_types[name] == "text/plain"


@pytest.mark.parametrize("size", [6, None])
def test_76_attachments_are_stored_in_steward_where_there_is_no_maester(
    stage: StepHarness, size: int | None
) -> None:
    stage.start()
    stage.do("store_attachment", size=size)

    file = stage.take("data").payload["attachments"]["file"]

    (name,) = stage.platform.objects
    assert file == {"url": f"{stage.platform.url}/steward/{name}", "size": 6, "content-type": "text/plain"}
    assert stage.platform.objects[name] == b"abcdef"
    put = stage.platform.asked("PUT", f"/steward/{name}")[0]
    assert "authorization" not in put.headers
    assert put.headers["content-length"] == "6"


def test_fault_9_22_a_step_keeps_states_in_the_object_storage(stage: StepHarness) -> None:
    start(stage)
    stage.wires.send({"body": {"do": "keep_state"}})
    assert stage.take("data").payload["body"] == {"read": "the state", "then": 404}
    (put,) = stage.platform.asked("POST", "/objects")
    assert put.headers["authorization"] == f"Bearer {TOKEN}"
    assert b"the state" not in put.body


def test_fault_9_22_without_an_object_storage_a_step_keeps_none(shared: StepHarness) -> None:
    shared.wires.send({"body": {"do": "keep_state"}})
    assert shared.take("data").payload["body"] == {"states": None}
