"""What is measured: five operations on an engine with 100 containers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.lab.engine import LabEngine

CONTAINERS = 100
IMAGES = 10


@dataclass(frozen=True)
class Case:
    """One operation: the body of its messages, and how many of them are a fair measurement."""

    function: str
    body: dict[str, Any]
    messages: int
    right: Callable[[Any], bool]
    """Whether an output is what the operation should give."""
    method: str
    path: str


def cases(engine: LabEngine) -> list[Case]:
    """Fill the engine, return what to measure; ContainerCreate last, because it fills the engine further."""
    ids = [engine.create(name=f"bench-{number}") for number in range(CONTAINERS)]
    for number in range(1, IMAGES):
        engine.import_image(f"bench-{number}:local")
    one = ids[0]
    create = {"Image": engine.image, "Cmd": ["sleep", "600"]}
    return [
        Case("SystemPing", {}, 6000, lambda body: body["text"] == "OK", "GET", "/_ping"),
        Case(
            "ContainerInspect",
            {"id": one},
            4000,
            lambda body: body["Id"] == one,
            "GET",
            f"/containers/{one}/json",
        ),
        Case("ImageList", {}, 4000, lambda body: len(body["results"]) >= 1, "GET", "/images/json"),
        Case(
            "ContainerList",
            {"all": True},
            400,
            lambda body: len(body["results"]) == CONTAINERS,
            "GET",
            "/containers/json?all=true",
        ),
        Case(
            "ContainerCreate",
            {"requestBody": create},
            600,
            lambda body: "Id" in body,
            "POST",
            "/containers/create",
        ),
    ]
