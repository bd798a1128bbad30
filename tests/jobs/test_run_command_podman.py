"""RunCommand on Podman, which remembers no command in a form that is known: what works there, and what does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import forget_engines, run_step
from tests.jobs.finding import done, failed
from tests.lab.podman import PodmanService
from tests.lab.waiting import wait_until

KEY = "RunCommand"
SKEW = 60
"""Seconds by which the clocks of platform and engine may differ for the job."""


@pytest.fixture(scope="module")
def web(podman_service: PodmanService) -> Iterator[str]:
    name = f"web-{random_id()[:8]}"
    podman_service.wire.do(
        "POST", f"/containers/create?name={name}", {"Image": podman_service.image, "Cmd": ["sleep", "6000"]}
    )
    podman_service.wire.do("POST", f"/containers/{name}/start")
    yield name
    podman_service.wire.do("DELETE", f"/containers/{name}?force=true")
    forget_engines()


def step(
    podman_service: PodmanService,
    web: str,
    script: str,
    *,
    again: bool = False,
    made: float = 0,
    **settings: Any,
) -> Any:
    config = {"server": "2", "otherServer": podman_service.url, "errorPolicy": "throwError", **settings}
    wish = {"target": web, "command": ["sh", "-c", script]}
    headers = {"messageId": random_id(), **({"start": int(made * 1000)} if made else {})}
    return run_step(KEY, wish, config, headers=headers, redelivered=again)


@pytest.mark.shows(KEY, "succeeds")
def test_on_podman_a_command_tells_its_output_and_its_code(podman_service: PodmanService, web: str) -> None:
    told = done(step(podman_service, web, "echo out; echo err >&2"))
    assert (told["exitCode"], told["stdout"], told["stderr"]) == (0, "out\n", "err\n")


@pytest.mark.shows(KEY, "fails")
@pytest.mark.parametrize("code", [3, 126, 127])
def test_on_podman_a_code_is_that_of_the_command(podman_service: PodmanService, web: str, code: int) -> None:
    name, text = failed(step(podman_service, web, f"echo mine; exit {code}"))
    assert (name, f"code {code}" in text, "mine" in text) == ("BadExit", True, True)


def test_on_podman_a_command_is_ended_where_that_is_wanted(podman_service: PodmanService, web: str) -> None:
    assert failed(step(podman_service, web, "exec sleep 6001", killAfter="1"))[0] == "NotReached"


@pytest.mark.shows(KEY, "repeat")
def test_on_podman_a_repeat_is_not_settled_unless_it_may_run_again(
    podman_service: PodmanService, web: str
) -> None:
    assert failed(step(podman_service, web, "true", again=True))[0] == "NotSettled"
    assert done(step(podman_service, web, "true", again=True, onRepeat="runAgain"))["exitCode"] == 0


@pytest.mark.shows(KEY, "repeat")
def test_on_podman_a_repeat_runs_only_where_no_command_ran_since_its_message_was_made(
    podman_service: PodmanService, web: str
) -> None:
    """The time of the message is one that podman's memory reaches back to, whose events say of no exec which it is."""
    made = time.time() + SKEW + 1
    wait_until(lambda: time.time() > made - SKEW, "the time of the message")
    done(step(podman_service, web, "true", made=made))
    assert failed(step(podman_service, web, "true", made=made, again=True))[0] == "NotSettled"
    later = time.time() + 2 * SKEW
    assert done(step(podman_service, web, "true", made=later, again=True))["exitCode"] == 0


@pytest.mark.shows(KEY, "dry_run", "read_only")
def test_on_podman_a_dry_run_runs_nothing(podman_service: PodmanService, web: str) -> None:
    assert failed(step(podman_service, web, "true", accessMode="readOnly"))[0] == "ReadOnly"
    told = done(step(podman_service, web, "echo x >/ran", accessMode="readOnly", dryRun=True))
    assert (told["changed"], len(told["plan"])) == (False, 1)
    name = podman_service.wire.ask("GET", f"/containers/{web}/archive?path=/ran")
    assert name.status == 404
