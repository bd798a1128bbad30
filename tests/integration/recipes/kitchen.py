"""Runs the flow files of the recipes as a person does, on an engine whose things are the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab.engine import IMAGE, LabEngine
from tests.lab.waiting import wait_until
from tests.local.running import ROOT, Ended, run

FLOWS = ROOT / "examples" / "flows"


class Kitchen:
    """An engine, a folder for what the runner keeps, and what the test has made."""

    def __init__(self, engine: LabEngine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self._volumes: list[str] = []

    def cook(
        self,
        recipe: str,
        *options: str,
        steps: Mapping[str, Mapping[str, Any]] | None = None,
        **variables: str,
    ) -> Ended:
        """One poll of a recipe; `steps` are settings over those of the file, `variables` over its variables."""
        flow = json.loads((FLOWS / f"{recipe}.json").read_text("utf-8"))
        assert variables.keys() <= flow.get("variables", {}).keys()
        file = self.folder / f"{recipe}.json"
        file.write_text(json.dumps({**flow, "variables": {**flow.get("variables", {}), **variables}}))
        of_steps = [
            part for step, own in (steps or {}).items() for part in ("--config-of", step, json.dumps(own))
        ]
        return run(
            *("flow", file, "--times", "1", "--engine", self.engine.url, "--data", self.folder / "data"),
            *of_steps,
            *options,
            component=None,
        )

    def report(self, recipe: str, **how: Any) -> str:
        """What one poll of a recipe prints for people, each line of its table as "name: value"."""
        ended = self.cook(recipe, **how)
        assert ended.code == 0, ended.err
        return _lines(ended.out)

    def reported(self, recipe: str, happens: Callable[[], Any], **how: Any) -> str:
        """The report of a recipe whose trigger waits for something that `happens` after its first poll.

        A poll tells only what is old enough, so it is polled until it tells.
        """
        state = ("--state", str(self.folder / f"{recipe}.state"))
        first = self.cook(recipe, *state, **how)
        assert (first.code, first.out) == (0, ""), first.err
        happens()

        def told() -> str:
            ended = self.cook(recipe, *state, **how)
            assert ended.code == 0, ended.err
            return ended.out

        return _lines(wait_until(told, f"the report of {recipe}"))

    def ask(self, path: str, **query: Any) -> Any:
        return self.engine.wire.do("GET", path, **query).json()

    def states(self) -> dict[str, str]:
        """The state of each container by name."""
        return {one["Names"][0][1:]: one["State"] for one in self.ask("/containers/json", all=True)}

    def volume(self, name: str, *, files: Mapping[str, str] | None = None, **settings: Any) -> str:
        """A volume with files."""
        self.engine.wire.do("POST", "/volumes/create", {"Name": name, **settings})
        self._volumes.append(name)
        for file, text in (files or {}).items():
            writer = self.engine.run(
                ["sh", "-c", 'printf %s "$TEXT" > "/v/$FILE"'],
                HostConfig={"Binds": [f"{name}:/v"]},
                Env=[f"TEXT={text}", f"FILE={file}"],
            )
            assert self.engine.wait(writer) == 0
            self.engine.remove(writer)
        return name

    def told_by(self, command: Sequence[str], **settings: Any) -> str:
        """What a program in a container of its own writes."""
        container = self.engine.run(command, Tty=True, **settings)
        assert self.engine.wait(container) == 0
        said = self.engine.wire.do("GET", f"/containers/{container}/logs", stdout=True).body.decode()
        self.engine.remove(container)
        return said.replace("\r\n", "\n")

    def tidy(self) -> None:
        """Remove all containers, the test's volumes, and all images but the lab's."""
        for container in self.ask("/containers/json", all=True):
            self.engine.remove(container["Id"])
        for volume in self._volumes:
            self.engine.wire.ask("DELETE", f"/volumes/{volume}", force=True)
        for image in self.ask("/images/json"):
            tags = [tag for tag in image["RepoTags"] or () if tag != "<none>:<none>"]
            for name in tags or [image["Id"]]:
                if name != IMAGE:
                    self.engine.wire.ask("DELETE", f"/images/{name}", force=True)


def _lines(table: str) -> str:
    rows = [row.strip("│").split("│", 1) for row in table.splitlines() if row.startswith("│")]
    return "".join(f"{name.strip()}: {' '.join(value.split())}\n" for name, value in rows)
