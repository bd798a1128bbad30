"""What tests of a component see of one step in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.sailor import Message
from lib.sailor.errors import ComponentError
from lib.sailor.standalone.step import Outcome, StandaloneStep, service_context
from lib.sailor.transport import Kind
from tests.lab.http_source import HttpSource, content

COMPONENT = Path(__file__).parent.parent / "component"


def does(behaviour: str, step: StandaloneStep | None = None, **body: Any) -> Outcome:
    return (step or StandaloneStep(COMPONENT, "act")).run(Message({"do": behaviour, **body}))


def test_a_message_that_is_returned_is_published_and_the_input_acked() -> None:
    outcome = does("raw")

    assert outcome.finished is True
    assert [message.body["text"] for message in outcome.messages] == ["größe €"]
    assert (outcome.errors, outcome.rebounds) == ([], [])


def test_each_outcome_is_that_of_its_own_input() -> None:
    step = StandaloneStep(COMPONENT, "act")
    failed, empty, several = does("fail", step), does("nothing", step), does("several", step, n=2)

    assert (failed.finished, failed.errors, failed.messages) == (False, ["It went wrong"], [])
    assert (empty.finished, empty.published) == (True, ())
    assert (several.finished, [message.body["n"] for message in several.messages]) == (True, [0, 1])


def test_without_a_message_the_input_is_empty() -> None:
    assert StandaloneStep(COMPONENT, "act").run().messages[0].body["echo"] == {}


def test_a_rebound_tells_its_reason_and_has_a_limit() -> None:
    step = StandaloneStep(COMPONENT, "act", rebound_limit=1)
    message = Message({"do": "rebound", "reason": "busy"})
    first, second = step.run(message), step.run(message, {"reboundIteration": 1})

    assert (first.finished, first.rebounds, first.errors) == (True, ["busy"], [])
    assert (second.finished, second.rebounds, second.errors) == (False, [], ["Rebound limit exceeded"])


def test_the_snapshot_stays() -> None:
    step = StandaloneStep(COMPONENT, "act", {"a": 1}, snapshot={"n": 1}, variables={"v": "x"})
    does("update_snapshot", step, value={"m": 2})

    assert step.snapshot == {"n": 1, "m": 2}
    assert does("see", step).messages[0].body == {
        "config": {"a": 1},
        "snapshot": {"n": 1, "m": 2},
        "variables": {"v": "x"},
    }


def test_secrets_of_the_configuration_are_masked() -> None:
    step = StandaloneStep(COMPONENT, "act", {"token": "hunter22"})

    assert does("fail", step, text="hunter22 is wrong").errors == ["*** is wrong"]


def test_who_waits_for_a_reply_gets_one() -> None:
    outcome = StandaloneStep(COMPONENT, "act").run(Message({"do": "reply"}), {"reply_to": "somebody"})

    (reply,) = outcome.of(Kind.REPLY)
    assert (reply.value["statusCode"], reply.outgoing.address) == (201, "somebody")


def test_what_was_cancelled_goes_back_to_the_queue() -> None:
    step = StandaloneStep(COMPONENT, "act")
    step.cancelled.set()

    assert does("fail", step) == Outcome(None, ())


def test_settings_are_those_of_the_runtime() -> None:
    step = StandaloneStep(COMPONENT, "act", outgoing_message_size_limit=100)

    assert "exceeds limit of 100" in does("sized", step, size=200).errors[0]


def test_files_keep_attachments_and_states(tmp_path: Path) -> None:
    step = StandaloneStep(COMPONENT, "act", files=tmp_path)
    entry = does("store_attachment", step).messages[0].attachments["file"]
    opened = does("open_attachment", step, attachment=entry).messages[0]
    state = does("keep_state", step).messages[0]

    assert opened.body == {"text": "abcdef", "size": 6, "type": "text/plain"}
    assert state.body["read"] == "the state"
    assert does("keep_state").messages[0].body == {"states": None}


def test_init_is_called_with_the_configuration() -> None:
    with HttpSource(content(b"")) as witness:
        StandaloneStep(COMPONENT, "hooks", {"tell": witness.url})

    assert witness.requests[0].startswith(b"GET /hook/init ")


@pytest.mark.parametrize("key", ["noProcess", "missingFile", "nowhere"])
def test_a_function_without_code_is_no_step(key: str) -> None:
    with pytest.raises(ComponentError):
        StandaloneStep(COMPONENT, key)


def test_the_context_of_a_call_without_a_message_logs(capfd: pytest.CaptureFixture[str]) -> None:
    service_context().logger.info("looked at")

    assert '"name":"component"' in capfd.readouterr().out
