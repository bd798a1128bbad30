"""The configuration of each step: from the environment, the flow file and the options, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.local.engine_env import credentials_of, with_pem_files
from lib.local.problems import UsageError
from lib.local.values import json_object

_PLACE = ("server", "otherServer")


def configuration(
    environ: Mapping[str, str], *given: Mapping[str, Any], engine: str | None = None
) -> dict[str, Any]:
    """Later ones of `given` win; the environment names the engine only where none of them and no URL does.

    `engine` is the URL of the option --engine and goes before everything.
    """
    merged = with_pem_files({key: value for part in given for key, value in part.items()})
    if engine:
        return {**merged, **credentials_of(environ, engine)}
    if any(merged.get(key) for key in _PLACE):
        return merged
    return {**credentials_of(environ), **merged}


def configs_of(pairs: list[list[str]], steps: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """The values of --config-of by step id; raises UsageError for a step that the flow does not have."""
    configs: dict[str, dict[str, Any]] = {}
    for step, text in pairs:
        if step not in steps:
            raise UsageError(
                f"--config-of {step}: the flow has no such node", hint=f"It has {', '.join(steps)}"
            )
        configs[step] = {**configs.get(step, {}), **json_object(f"--config-of {step}", text)}
    return configs
