from __future__ import annotations

import json
import os
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.logging import open_logger
from lib.sailor.secrets.masking import Secrets
from lib.sailor.secrets.names import secrets_within
from lib.sailor.step.throttle import Throttle
from tests.lab.at_once import at_once, beside


class Log:
    """A logger on a file, and the lines in it."""

    def __init__(self, path: Path, **environment: str) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
        self.logger = open_logger(environment, descriptor=self._descriptor)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def close(self) -> None:
        os.close(self._descriptor)


@pytest.fixture
def log(tmp_path: Path) -> Any:
    log = Log(tmp_path / "log", LOG_LEVEL="Trace")
    yield log
    log.close()


def test_levels_have_the_platforms_numbers(log: Log) -> None:
    for name in ("trace", "debug", "info", "warning", "error", "fatal"):
        getattr(log.logger, name)(name)

    assert [line["level"] for line in log.lines()] == [10, 20, 30, 40, 50, 60]


def test_bound_fields_are_on_every_line_and_none_is_left_out(log: Log) -> None:
    log.logger.bind(threadId="t", messageId=None).named("component").info("text", more=1)

    (line,) = log.lines()
    assert line["threadId"] == "t"
    assert line["more"] == 1
    assert line["name"] == "component"
    assert "messageId" not in line


def test_an_exception_as_text_brings_its_stack(log: Log) -> None:
    log.logger.error(ValueError("wrong"))

    (line,) = log.lines()
    assert line["msg"] == "wrong"
    assert line["err"]["name"] == "ValueError"


def test_fields_without_a_json_form_do_not_cost_the_line(log: Log) -> None:
    log.logger.info("text", odd={1, 2}, fine=1)

    (line,) = log.lines()
    assert line["odd"] == "{1, 2}"
    assert line["fine"] == 1


def test_secrets_are_masked_in_every_form(log: Log) -> None:
    log.logger.secrets.add(['pass"word\n', "token-1234", "ab"])
    log.logger.info('pass"word\n', field={"deep": ["token-1234 ab"]})

    (line,) = log.lines()
    assert line["msg"] == "***\n"
    assert line["field"] == {"deep": ["*** ab"]}


def test_the_longest_secret_is_masked_first() -> None:
    secrets = Secrets()
    secrets.add(["secret", "secret-and-more"])

    assert secrets.mask("secret-and-more, secret") == "***, ***"


def test_secrets_of_a_configuration_are_found_by_their_keys() -> None:
    config = {
        "server": "https://engine.example",
        "tlsKey": "the-key",
        "tlsCa": "public",
        "registries": '{"docker.io": {"username": "me", "password": "the-password"}}',
        "oauth": {"access_token": "the-token"},
        "list": [{"apiKey": "the-api-key"}],
    }

    found = set(secrets_within(config))

    assert {"the-key", "the-password", "the-token", "the-api-key", config["registries"]} <= found
    assert not found & {"https://engine.example", "public"}


def test_a_closed_log_does_not_fail_anything(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.close()

    log.logger.info("nobody hears this")


def test_lines_of_several_threads_are_whole(log: Log) -> None:
    def write(n: int) -> None:
        for _ in range(50):
            log.logger.info(str(n) * 5000)

    at_once(*[partial(write, n) for n in range(4)])

    assert len(log.lines()) == 200


def test_a_throttle_lets_the_first_of_a_window_pass_and_spreads_the_others() -> None:
    throttle = Throttle(3, 1000)

    pauses = [round(throttle._reserve(100.0), 3) for _ in range(8)]

    assert pauses == [0, 0, 0, 1, 1, 1, 2, 2]
    assert round(throttle._reserve(101.5), 3) == 0.5
    assert round(throttle._reserve(104.0), 3) == 0


def test_a_throttle_ends_its_wait_when_all_is_cancelled() -> None:
    """fault 8.35: the wait would last for weeks, so it has ended for no other reason."""
    cancelled = threading.Event()
    throttle = Throttle(1, 2_000_000_000)
    throttle.wait(cancelled)
    waiting = beside(throttle.wait, cancelled)
    assert not waiting.is_over

    cancelled.set()

    waiting.result()
