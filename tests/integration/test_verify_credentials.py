"""What the platform is told of a credential."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.engine import LabEngine
from verify_credentials import verify


class Silent:
    """A context's logger that keeps what it is told."""

    def __init__(self) -> None:
        self.logger = self
        self.told: list[str] = []

    def info(self, message: str, **fields: Any) -> None:
        self.told.append(f"{message} {fields}")

    warning = info


@pytest.mark.engine
def test_a_good_credential_names_engine_and_versions(engine_lab: LabEngine) -> None:
    facts = verify(Silent(), {"server": "2", "otherServer": engine_lab.url})
    assert facts["verified"] is True
    assert facts["apiVersions"] == f"{engine_lab.minimum_api}-{engine_lab.api}"
    assert facts["apiVersion"] == engine_lab.api
    assert engine_lab.version in facts["product"]


@pytest.mark.engine
def test_a_pin_the_engine_does_not_speak_is_told(engine_lab: LabEngine) -> None:
    facts = verify(Silent(), {"server": "2", "otherServer": engine_lab.url, "apiVersion": "1.56"})
    assert facts["verified"] is False
    assert f"speaks API {engine_lab.minimum_api}-{engine_lab.api}" in facts["reason"]


def test_an_unreachable_engine_is_told() -> None:
    facts = verify(Silent(), {"server": "2", "otherServer": "unix:///nonexistent/docker.sock"})
    assert facts == {"verified": False, "reason": facts["reason"]}
    assert "No engine answers at unix:///nonexistent/docker.sock" in facts["reason"]


def test_a_missing_address_is_told() -> None:
    assert 'otherServer ("Engine address") is missing' in verify(Silent(), {"server": "2"})["reason"]


def test_a_misspelt_field_is_told() -> None:
    """Fault 8.32: without its authority the engine could not be trusted, or the connection would be plain."""
    facts = verify(Silent(), {"server": "2", "otherServer": "unix:///nonexistent/x", "tlsCaa": "x"})
    assert "tlsCaa: is no setting of the credential. Did you mean tlsCa?" in facts["reason"]
