"""Builds by BuildKit: what they report, on every kind of engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.integration.operations.conftest import Able
from tests.integration.operations.proving import Body, failure, success
from tests.integration.operations.site import Site
from tests.lab.engine_folders import FOLDERS

pytestmark = pytest.mark.engine
# The network of a build would want rules of the host's firewall, which the lab does not have.
BUILDKIT: Body = {"version": "2", "networkmode": "host"}

# The engines that differ in how they build.
EACH_STORE = pytest.mark.parametrize(
    "site", ["20.10", "26.1", "28.5", "28.5-containerd", "podman", *FOLDERS], indirect=True, scope="session"
)


@pytest.fixture
def name(site: Site) -> Iterator[str]:
    """A name for an image that the test makes."""
    name = f"lab/{random_id()}:1"
    yield name
    site.engine.wire.ask("DELETE", f"/images/{name}", force="true")


def build(site: Site, name: str, *lines: str, **more: Any) -> dict[str, Any]:
    text = "\n".join([f"FROM {site.engine.image}", *lines, ""])
    return {"dockerfileText": text, "t": name, **BUILDKIT, **more}


@success("ImageBuild")
def test_a_build_tells_its_steps_lines_and_tags(site: Site, name: str, able: Able) -> None:
    mark = random_id()
    body = build(site, name, f"RUN echo hello {mark}; printf end", "RUN echo err >&2", labels={"a": "b"})
    built = site.do("ImageBuild", body)
    found = site.engine.wire.do("GET", f"/images/{name}/json").json()
    assert found["Id"] == built["id"]
    if site.name == "podman":  # it builds by itself, whatever is asked for
        assert built["builder"] == "classic"
        return
    assert built["builder"] == "buildkit"
    assert built["tags"] == [name]
    names = {step["name"]: step for step in built["steps"]}
    run = names[f"RUN echo hello {mark}; printf end"]
    assert run["status"] == "done"
    assert run["seconds"] > 0
    number = run["number"]
    assert {f"#{number} hello {mark}", f"#{number} end"} <= set(built["lines"])
    again = site.do("ImageBuild", body)
    assert again["cachedSteps"] >= 2
    assert f"#{number} CACHED" in again["lines"]
    able("trace of steps and lines", seen=True)


@failure("ImageBuild")
def test_a_failed_step_tells_exit_code_and_last_lines(site: Site, name: str) -> None:
    body = build(site, name, f"RUN echo before {random_id()}; exit 9", "RUN true")
    told = site.fails("ImageBuild", body, "StreamFailed")
    assert "RUN echo before" in told
    if site.name != "podman":
        assert "ended with exit code 9" in told
        assert "Before it: before" in told


@failure("ImageBuild")
def test_a_missing_file_and_a_wrong_instruction_are_named(site: Site, name: str) -> None:
    missing = site.fails("ImageBuild", build(site, name, "COPY nofile /x"), "StreamFailed")
    wrong = site.fails("ImageBuild", build(site, name, "RUNN x"), "StreamFailed", "BadInput", "Refused")
    assert "nofile" in missing
    assert "RUNN" in wrong
    if site.name != "podman":  # it has texts of its own
        assert "/nofile is not in the build context" in missing
        assert "unknown instruction: RUNN" in wrong


@success("ImageBuild")
def test_the_dockerfiles_checks_are_told_by_engines_that_have_them(site: Site, name: str, able: Able) -> None:
    text = f"FROM {site.engine.image} as base\n"
    built = site.do("ImageBuild", {"dockerfileText": text, "t": name, **BUILDKIT})
    if site.at_least("1.46"):  # engine 27
        (warning,) = built["warnings"]
        assert (warning["rule"], warning["line"], warning["file"]) == ("FromAsCasing", 1, "Dockerfile")
    else:
        assert built["warnings"] == []
    able("checks of the Dockerfile", seen=bool(built["warnings"]))
