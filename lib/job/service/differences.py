"""In what two specs of a service differ, as paths such as TaskTemplate.ContainerSpec.Image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lib.job.comparison import Difference, difference
from lib.job.repeat import PREFIX
from lib.job.service.service import Tree

UPDATE, NEW_TASKS = "update", "newTasks"
TEMPLATE = "TaskTemplate"
_ENV = "TaskTemplate.ContainerSpec.Env"
_HIDDEN = "***"
Change = Callable[[Tree], Tree]


def differences(change: Change, given: Tree, holding: Tree) -> list[Difference]:
    """Return what a change would make different: in the spec as it was given, and in what holds by defaults, too.

    Where only one of both differs, nothing would: a default that is written down, or one that is taken away. Nor does a
    zero where nothing holds: engines leave it out again. The values of variables are not shown.
    """
    now, then = leaves(holding), leaves(change(holding))
    bare, changed = leaves(given), leaves(change(given))
    paths = sorted({*now, *then, *bare, *changed})
    return [
        _shown(path, now.get(path), then.get(path))
        for path in paths
        if (now.get(path) or None) != (then.get(path) or None) and bare.get(path) != changed.get(path)
    ]


def leaves(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a spec by their paths, variables one by one, without empty ones and marks of jobs."""
    return dict(_leaves("", spec))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if str(key).startswith(PREFIX):
                continue
            yield from _leaves(f"{path}.{key}" if path else str(key), item)
    elif path == _ENV and isinstance(value, list):
        for entry in value:
            name, _, text = str(entry).partition("=")
            yield f"{path}.{name}", text
    elif value not in (None, [], ""):
        yield path, value


def _shown(path: str, before: Any, after: Any) -> Difference:
    effect = NEW_TASKS if path.startswith(f"{TEMPLATE}.") else UPDATE
    if path.startswith(f"{_ENV}."):
        before, after = (None if one is None else _HIDDEN for one in (before, after))
    return difference(path, before, after, effect)
