"""Calls the hooks of a function: startup, init and shutdown (protocol 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lib import jsontext
from lib.sailor.component import Component, Function
from lib.sailor.coroutines import awaited
from lib.sailor.logging import Logger
from lib.sailor.platform.api import Platform
from lib.sailor.secrets.names import secrets_within
from lib.sailor.settings import Settings


def call_startup(function: Function, config: Mapping[str, Any], platform: Platform, logger: Logger) -> None:
    """Run `startup` and store its result for `shutdown` (protocol 2.4).

    Raises what the hook raises, and RequestError when the platform does not store the state.
    """
    if function.startup is None:
        logger.warning("startup is required, but the function has none")
    state = _call(function.startup, config) if function.startup else None
    if not platform.store_startup(state):
        logger.warning("Startup data already exists. Rewriting.")


def call_init(function: Function, config: Mapping[str, Any]) -> None:
    """Run `init` to its end, if the function has one; raises what the hook raises."""
    if function.init is not None:
        _call(function.init, config)


def run_shutdown(settings: Settings, logger: Logger) -> None:
    """Do the whole work of a container that only runs `shutdown` (protocol 2.5); it does not use the broker.

    Raises what the hook raises; RequestError, and ComponentError when the function cannot be loaded.
    """
    platform = Platform(settings)
    step = platform.step()
    logger.secrets.add(secrets_within(step.config))
    function = Component.at(settings.component_path).function(settings.function)
    state = platform.read_startup()
    if function.shutdown is None:
        logger.warning("A shutdown is wanted, but the function has none")
    else:
        _call(function.shutdown, step.config, state)
    platform.delete_startup()


def _call(hook: Callable[..., Any], *arguments: Any) -> Any:
    """Call a hook with copies of the arguments, and await it if it is a coroutine."""
    return awaited(hook(*(jsontext.decode(jsontext.encode(argument)) for argument in arguments)))
