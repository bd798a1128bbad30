"""Makes the configuration of each step from the environment, the flow file and the options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lib.local.engine.choice import Choice, chosen
from lib.local.engine.logins import logins
from lib.local.engine.pem_files import with_pem_files
from lib.local.engine.ssh_files import with_ssh_files
from lib.local.problems import UsageError
from lib.local.values import json_object

_PLACE = ("server", "otherServer")


class Surroundings:
    """What the environment and the files of the docker command line say of engine and logins, read once for all steps.

    `engine` is the URL of the option --engine; `registries` says whether the component's credential takes logins to
    registries, which nobody else may see, `ssh` whether it takes keys for SSH; `note` is told what could not be had.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        engine: str | None,
        note: Callable[[str], None],
        *,
        registries: bool = False,
        ssh: bool = False,
    ) -> None:
        self._environ, self._engine, self._note = environ, engine, note
        self._registries, self._ssh = registries, ssh
        self._choice: Choice | None = None
        self._logins: dict[str, dict[str, str]] | None = None

    @property
    def choice(self) -> Choice:
        """The engine where the configuration names none. Raises UsageError."""
        if self._choice is None:
            self._choice = chosen(self._environ, self._engine)
        return self._choice

    @property
    def logins(self) -> dict[str, dict[str, str]]:
        """The logins of the docker command line, by server. Raises UsageError."""
        if self._logins is None:
            self._logins = logins(self._environ, self._note) if self._registries else {}
        return self._logins

    def configuration(self, *given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration of one step: the parts of `given`, of which later ones win, and the engine's fields.

        The engine is that of the option --engine, else that of `given`, else that of `chosen`. Raises UsageError for
        a file that cannot be read.
        """
        merged = with_pem_files({key: value for part in given for key, value in part.items()})
        if "registries" not in merged and self.logins:
            merged["registries"] = self.logins
        if self._engine:
            merged = {**merged, **self.choice.fields}
        elif not names_engine(merged):
            merged = {**self.choice.fields, **merged}
        return with_ssh_files(merged, self._environ) if self._ssh else merged

    def why(self, *given: Mapping[str, Any]) -> str:
        """Return what names the engine of a configuration with these parts."""
        named = not self._engine and any(names_engine(part) for part in given)
        return "the configuration" if named else self.choice.why


def names_engine(config: Mapping[str, Any]) -> bool:
    """Whether a configuration says where the engine is."""
    return any(config.get(key) for key in _PLACE)


def configs_of(pairs: list[list[str]], steps: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """Return the values of --config-of by step id; raises UsageError for a step that the flow does not have."""
    configs: dict[str, dict[str, Any]] = {}
    for step, text in pairs:
        if step not in steps:
            raise UsageError(
                f"--config-of {step}: the flow has no such node", hint=f"It has {', '.join(steps)}"
            )
        configs[step] = {**configs.get(step, {}), **json_object(f"--config-of {step}", text)}
    return configs
