"""fault 8.19: a resolver that does not answer holds up nobody beyond the limit of the call."""

from __future__ import annotations

import re
import socket
import threading

import pytest

from lib.engine import Endpoint
from lib.engine.http.connect import connect
from lib.resolving import places
from tests.lab import silent_names

CALLS = {
    "engine": """
from lib.engine import Endpoint, Engine
from lib.engine.timeouts import Timeouts
from lib.engine.errors import Unreachable
try:
    Engine(Endpoint.parse("tcp://engine.nowhere.test:2375"), timeouts=Timeouts(connect=0.3)).get("/version")
except Unreachable as error:
    print(error)
""",
    "upgrade": """
from lib.engine import Endpoint
from lib.engine.errors import Unreachable
from lib.engine.http.connect import connect
try:
    connect(Endpoint.parse("https://engine.nowhere.test:2376"), 0.3, None)
except Unreachable as error:
    print(error)
""",
    "url": """
from lib.sailor.net.destinations import Destinations
from lib.sailor.errors import RequestError
from lib.sailor.net.fetching import fetched
try:
    fetched("http://files.nowhere.test/x", Destinations(max_seconds=1))
except RequestError as error:
    print(error)
""",
    "platform": """
from lib.sailor.platform import http
from lib.sailor.errors import RequestError
try:
    http.send("GET", "https://api.nowhere.test/v1", {}, timeout=0.3, total=0.3)
except RequestError as error:
    print(error)
""",
    "broker": """
import threading
from lib.sailor.amqp import reconnecting
from lib.sailor.amqp.io_thread import Loop
from lib.sailor.logging import open_logger
from lib.sailor.settings import Settings
reconnecting.LONGEST_OPENING = 0.3
loop = Loop(print)
one = reconnecting.ReconnectingChannel(loop, Settings(amqp_uri="amqp://broker.nowhere.test", amqp_reconnect_attempts=1,
    amqp_reconnect_timeout=1), "read", open_logger({"LOG_LEVEL": "fatal"}))
loop.start()
one.open(None)
one.is_ready.wait()
print(one.error)
""",
}
ENDS = {
    "engine": "its name was not resolved in time",
    "upgrade": "its name was not resolved in time",
    "url": r"The name files\.nowhere\.test was not resolved within (1|0\.\d+) s",
    "platform": r"The name api\.nowhere\.test was not resolved within 0\.[0-3]\d* s",
    "broker": "AMQP connection read cannot be opened",
}


@pytest.mark.parametrize("kind", CALLS)
def test_a_name_server_that_never_answers_ends_a_call_at_its_limit(kind: str) -> None:
    """fault 8.19: the resolver's patience of five minutes was the call's."""
    assert re.search(ENDS[kind], silent_names.run(CALLS[kind]))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "2130706433"])
def test_an_address_is_looked_up_by_no_thread(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "Thread", None)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = places(host, 80, 0)
    assert [(one, where[:2]) for one, where in found] == [
        (family, (host.replace("2130706433", "127.0.0.1"), 80))
    ]


def test_a_name_is_resolved_to_all_its_addresses() -> None:
    named = {where[0] for _, where in places("localhost", 80, 60)}
    assert "127.0.0.1" in named
    assert named <= {"127.0.0.1", "::1"}


def test_no_name_is_an_error_at_once() -> None:
    with pytest.raises(ValueError, match="label"):
        places("x" * 64 + ".test", 80, 60)


def test_the_next_address_of_a_name_is_tried() -> None:
    """localhost may be ::1 first, where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        endpoint = Endpoint.parse(f"tcp://localhost:{door.getsockname()[1]}")
        with connect(endpoint, 60, None) as made:
            assert made.getpeername()[:2] == door.getsockname()
            assert made.gettimeout() == 60
