"""The component in this process, against a real server of tickets; no platform, no broker."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lib.sailor import Message
from lib.sailor.component import Component
from lib.sailor.errors import RequestError
from lib.sailor.standalone.step import StandaloneStep, service_context

FOLDER = Path(__file__).parent


class Handler(BaseHTTPRequestHandler):
    """Answers with the files of the server; a number among them is a status to answer with."""

    server: Server

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == "Bearer right"
        found = self.server.files.get(self.path, 404) if known else 401
        self.send_response(found if isinstance(found, int) else 200)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, Any] = {}
        self.config = {"url": f"http://127.0.0.1:{self.server_address[1]}", "token": "right"}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def ticket(number: int) -> dict[str, Any]:
    return {"number": number, "title": f"Ticket {number}"}


def test_the_trigger_emits_each_ticket_once(server: Server) -> None:
    step = StandaloneStep(FOLDER, "newTickets", server.config)
    server.files["/tickets.json"] = [ticket(2), ticket(1)]
    first = step.run()
    again = step.run()
    server.files["/tickets.json"].append(ticket(3))
    third = step.run()

    assert [message.body for message in first.messages] == [ticket(1), ticket(2)]
    assert again.published == ()
    assert [message.body for message in third.messages] == [ticket(3)]
    assert step.snapshot == {"last": 3}


def test_a_poll_that_fails_remembers_nothing(server: Server) -> None:
    step = StandaloneStep(FOLDER, "newTickets", server.config, snapshot={"last": 1})
    server.files["/tickets.json"] = 503
    failed = step.run()
    server.files["/tickets.json"] = [ticket(1), ticket(2)]

    assert failed.finished is False
    assert "was answered with 503" in failed.errors[0]
    assert [message.body for message in step.run().messages] == [ticket(2)]


def test_a_ticket_that_is_told_twice_has_the_same_id(server: Server) -> None:
    server.files["/tickets.json"] = [ticket(1)]
    ids = {
        StandaloneStep(FOLDER, "newTickets", server.config).run().published[0].headers["messageId"]
        for _ in range(2)
    }

    assert len(ids) == 1


def test_the_action_reads_a_ticket(server: Server) -> None:
    server.files["/tickets/7.json"] = ticket(7)

    outcome = StandaloneStep(FOLDER, "getTicket", server.config).run(Message({"number": 7}))

    assert outcome.finished is True
    assert outcome.messages == [Message(ticket(7))]


@pytest.mark.parametrize(
    ("body", "text"),
    [({"number": 8}, "was answered with 404"), ({"number": "../8"}, "number: a whole number was expected")],
)
def test_what_cannot_be_read_is_an_error(server: Server, body: dict[str, Any], text: str) -> None:
    outcome = StandaloneStep(FOLDER, "getTicket", server.config).run(Message(body))

    assert outcome.finished is False
    assert text in outcome.errors[0]


def test_a_service_that_is_busy_is_asked_again_later(server: Server) -> None:
    server.files["/tickets/7.json"] = 503
    step = StandaloneStep(FOLDER, "getTicket", server.config)
    first = step.run(Message({"number": 7}))
    server.files["/tickets/7.json"] = ticket(7)
    second = step.run(Message({"number": 7}), {"reboundIteration": 1})

    assert first.finished is True
    assert "was answered with 503" in first.rebounds[0]
    assert second.messages == [Message(ticket(7))]


def test_a_credential_is_verified(server: Server) -> None:
    verify = Component(str(FOLDER)).load("./verify_credentials.py").verify
    server.files["/tickets.json"] = [ticket(1)]

    assert verify(service_context(), server.config) == {"verified": True, "tickets": 1}
    with pytest.raises(RequestError, match="was answered with 401"):
        verify(service_context(), {**server.config, "token": "wrong"})
