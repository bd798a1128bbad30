"""Errors name the key and the label of a field (fault 8.33)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.config.labels import add_label
from lib.engine.errors import BadInput
from tests.actions.recorder import Recorder
from tests.actions.stepping import run_step

PORTS = {"requestBody": {"Image": "x", "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "localhost"}]}}}}

ADDRESS = (
    "requestBody.HostConfig.PortBindings.80/tcp[0].HostIp "
    '("Container settings > Host settings > Published ports > Host address"): '
)


@pytest.mark.parametrize(
    ("key", "body", "settings", "begins"),
    [
        ("ContainerList", {}, {"apiVersion": "new"}, 'apiVersion ("API version"): '),
        (
            "ContainerList",
            {},
            {"registries": {"a.lab": {"auth": "x"}}},
            'registries.a.lab.auth ("Registry logins") ',
        ),
        ("ContainerList", {}, {"server": "2", "otherServer": "ftp://x"}, 'otherServer ("'),
        ("ContainerList", {}, {"errorPolicy": "hope"}, 'errorPolicy ("When the action fails"): '),
        ("ContainerInspect", {"id": "a b"}, {}, 'id ("'),
        ("ContainerList", {"limit": "many"}, {}, 'limit ("'),
        ("ContainerCreate", PORTS, {}, ADDRESS),
    ],
)
def test_an_error_gives_both(
    key: str, body: dict[str, Any], settings: dict[str, Any], begins: str, tmp_path: Path
) -> None:
    """Fault 8.33: people see the label in the form, and the key in a mapping."""
    with Recorder(tmp_path) as recorder:
        outcome = run_step(key, body, {"server": recorder.url, **settings})
    assert [error["name"] for error in outcome.errors] == ["BadInput"]
    assert outcome.errors[0]["message"].startswith(begins)


@pytest.mark.parametrize("message", ["There is nothing to send", 'id ("ID"): x'])
def test_a_message_that_does_not_begin_with_the_key_or_has_a_label_stays(message: str) -> None:
    error = BadInput(message, field="id")
    add_label(error, "ID")
    assert error.message == message
