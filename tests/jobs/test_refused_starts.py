"""Programs that an engine refuses to start: the error has the engine's reason, and a hint for the cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.jobs.crash import nothing_left
from tests.jobs.engines import own
from tests.jobs.places import Place
from tests.lab.engine import IMAGE, LabEngine

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "RunContainer"
PORT = {"HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18181"}]}}}
CAUSES: dict[str, tuple[dict[str, Any], str, str]] = {
    "command": ({"command": ["/nope"]}, "/nope", "a program that the image does not have"),
    "command in the path": ({"command": ["nope"]}, "nope", "a program that the image does not have"),
    "port": ({"settings": PORT}, "18181", "another HostPort"),
    "mount": ({"volumes": ["/etc/hostname:/tmp"]}, "/tmp", "mounted over a folder"),
    "network": ({"network": "nowhere"}, "nowhere", "network is not there"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_start_that_fails_says_why_and_what_to_do(own: LabEngine, tmp_path: Path, cause: str) -> None:
    fields, word, hint = CAUSES[cause]
    other = own.run(name="holder", ExposedPorts={"80/tcp": {}}, **PORT)
    with nothing_left(own):
        outcome = Place(own, tmp_path).step(
            KEY, {"image": IMAGE, "command": ["true"], **fields}, errorPolicy="emit"
        )
        error = outcome.body["error"]
    own.remove(other)
    assert error["name"] == "NotStarted"
    assert word in error["message"]
    assert hint in error.get("hint", ""), error
