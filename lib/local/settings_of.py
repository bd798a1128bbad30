"""Makes the configuration of each step from the environment, the flow file and the options."""

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
    """Return the configuration of one step: the parts of `given`, of which later ones win, and the engine's fields.

    The engine is that of `engine` (the URL of the option --engine), else that of `given`, else that of the
    environment. Raises UsageError for a certificate file that cannot be read.
    """
    merged = with_pem_files({key: value for part in given for key, value in part.items()})
    if engine:
        return {**merged, **credentials_of(environ, engine)}
    if any(merged.get(key) for key in _PLACE):
        return merged
    return {**credentials_of(environ), **merged}


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
